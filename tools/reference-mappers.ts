import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { isMapper, type Mapper, manifestText } from "@penstock/mapper-sdk";
import { type JsonSchema, manifestFile, settingsParts } from "@penstock/model";
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
  return generatedPage(`Mapper ${manifest.name}`, `\`${folder}/${manifest.name}/${manifestFile}\``, [
    `${manifest.summary}. Version ${manifest.version}; may use: ${manifest.permissions.join(", ") || "nothing"}.`,
    ...parts,
  ]);
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
