import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { isMapper, type Mapper, manifestText } from "@penstock/mapper-sdk";
import { type JsonSchema, manifestFile, type SettingsRule, type Shorthand, settingsParts } from "@penstock/model";
import { generatedPage, markdownTable } from "./markdown.ts";
import { root } from "./repository.ts";

const folder = "packages/mappers";
const places = {
  connection: "settings of a Connection (`spec.settings`)",
  address: "address of a Device (`spec.address`)",
  visitor: "where a property lies (`spec.properties.<name>.visitor`)",
  method: "how a method is called (`spec.methods.<name>.visitor`)",
} as const;

/** `mapper.json` and the page of every mapper in the workspace, by path. */
export function mapperFiles(): Record<string, () => Promise<string>> {
  const names = readdirSync(resolve(root, folder)).sort();
  return Object.fromEntries(
    names.flatMap((name) => [
      [`${folder}/${name}/${manifestFile}`, async () => manifestText(await load(name))],
      [`docs/reference/mappers/${name}.md`, async () => page(await load(name))],
    ]),
  );
}

async function load(name: string): Promise<Mapper> {
  const exported: Record<string, unknown> = await import(resolve(root, folder, name, "src/index.ts"));
  const mapper = Object.values(exported).find(isMapper);
  if (mapper === undefined) throw new Error(`${folder}/${name} exports no mapper`);
  return mapper;
}

function page({ manifest }: Mapper): string {
  const parts = settingsParts.flatMap((part) => {
    const schema = manifest[part];
    return schema === null ? [] : ["", `## ${capital(places[part])}`, "", ...fields(schema)];
  });
  const custom =
    manifest.custom === null
      ? ["", "Fields of `custom` blocks are taken as they are."]
      : ["", "## Fields of `custom` blocks, where they are written", "", ...fields(manifest.custom)];
  return generatedPage(`Mapper ${manifest.name}`, `\`${folder}/${manifest.name}/${manifestFile}\``, [
    `${manifest.summary}. Version ${manifest.version}; may use: ${manifest.permissions.join(", ") || "nothing"}.`,
    ...parts,
    ...custom,
    ...shorthands(manifest.shorthands ?? []),
    ...rules(manifest.rules),
  ]);
}

function shorthands(all: readonly Shorthand[]): string[] {
  return all.flatMap(({ field, forms }) => {
    const code = (texts: readonly string[]) => texts.map((text) => `\`${text}\``).join(", ");
    const rows = forms.map(({ like, gives, sets = {} }) => [
      `\`${like}\``,
      code([...Object.entries(sets).map(([name, value]) => `${name}: ${String(value)}`), ...gives]),
    ]);
    return ["", `## What \`${field}\` may look like`, "", ...markdownTable(["like", "stands for"], rows)];
  });
}

function rules(all: readonly SettingsRule[]): string[] {
  if (all.length === 0) return [];
  const rows = all.map(({ when, require = [], refuse = [], access, types, because }) => {
    const code = (fields: readonly string[]) => fields.map((field) => `\`${field}\``).join(", ");
    const values = when.in.map((value) => (value === null ? "missing" : `\`${String(value)}\``)).join(", ");
    const demands = [
      ...(require.length > 0 ? [`needs ${code(require)}`] : []),
      ...(refuse.length > 0 ? [`has no ${code(refuse)}`] : []),
      ...(access === undefined ? [] : [`access is ${code(access)}`]),
      ...(types === undefined ? [] : [`type is ${code(types)}`]),
    ];
    return [`\`${when.field}\``, values, demands.join("; "), because];
  });
  return ["", "## Rules beyond single fields", "", ...markdownTable(["where", "is", "then", "because"], rows)];
}

function fields(schema: JsonSchema): string[] {
  const required = schema.required as readonly string[];
  const rows = Object.entries(schema.properties as Record<string, JsonSchema>).map(([name, field]) => [
    `\`${name}\``,
    required.includes(name) ? "must be given" : field.default === undefined ? "" : `\`${String(field.default)}\``,
    ruleOf(field),
    String(field.description ?? ""),
  ]);
  return markdownTable(["field", "default", "rule", "what"], rows);
}

function ruleOf(field: JsonSchema): string {
  const { type, enum: words, minimum, maximum, maxLength, unit } = field;
  if (Array.isArray(words)) return words.map((word) => `\`${String(word)}\``).join(" ");
  const bounds = minimum === undefined && maximum === undefined ? "" : ` ${minimum ?? "…"} to ${maximum ?? "…"}`;
  const length = maxLength === undefined ? "" : `, at most ${String(maxLength)} characters`;
  return `${String(type)}${bounds}${unit === undefined ? "" : ` ${String(unit)}`}${length}`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
