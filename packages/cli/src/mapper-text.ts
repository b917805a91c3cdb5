import type { Client } from "@penstock/api";
import { AppError, type MapperManifest, settingsParts, shown } from "@penstock/model";
import { tableText } from "./print-table.ts";

/** A mapper as the server lists it. */
export interface ListedMapper {
  readonly name: string;
  readonly version: string;
  readonly summary: string | null;
  readonly cloud: boolean;
  readonly nodes: readonly string[];
  readonly nodeCount: number;
  readonly problem: string | null;
  readonly manifest: Readonly<Record<string, unknown>> | null;
}

/**
 * All mappers of a tenant, or all of one name.
 *
 * @throws AppError resource/not-found naming those that there are
 */
export async function mappersNamed(client: Client, tenant: string, name?: string): Promise<ListedMapper[]> {
  const { items } = await client.mappers.ofTenant({ params: { tenant }, query: {} });
  if (name === undefined) return items;
  const found = items.filter((one) => one.name === name);
  if (found.length > 0) return found;
  const known = [...new Set(items.map((one) => one.name))].join(", ");
  throw new AppError("resource/not-found", `Mapper "${name}" not found: there are ${known || "none"}`);
}

export function mappersTable(mappers: readonly ListedMapper[]): string {
  const rows = mappers.map((one) => [one.name, one.version, whereText(one), one.problem ?? one.summary ?? ""]);
  return tableText(["name", "version", "from", "about"], rows);
}

/** What its connections, devices, properties and methods may state, one field a row. */
export function mapperText(mapper: ListedMapper): string {
  const { name, version, summary, problem } = mapper;
  const lines = [`${name} ${version}  ${summary ?? ""}`.trimEnd(), `from: ${whereText(mapper)}`];
  if (problem !== null) lines.push(`problem: ${problem}`);
  // The server has read it as such.
  const manifest = mapper.manifest as unknown as MapperManifest | null;
  if (manifest === null) return lines.join("\n");
  for (const part of [...settingsParts, "custom"] as const) {
    const schema = manifest[part];
    if (schema === null) {
      if (part === "custom") lines.push("", "custom: any fields, passed to the mapper as they are");
      continue;
    }
    const rows = fieldRows(schema as Schema, "");
    const title = `${part} (${placeOf[part]})`;
    lines.push("", title, rows.length === 0 ? "no fields" : tableText(["field", "type", "default", "about"], rows));
  }
  if (manifest.rules.length > 0) {
    lines.push("", "rules", ...manifest.rules.map(({ because }) => `- ${because}`));
  }
  return lines.join("\n");
}

/** Where people write it. */
const placeOf = {
  connection: "settings of a Connection",
  address: "spec.address of a Device",
  visitor: "visitor of a property",
  method: "visitor of a method",
  custom: "custom of a Device and of its properties",
} as const;

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly description?: string;
  readonly unit?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
}

function fieldRows(schema: Schema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const isRequired = schema.required?.includes(name) === true;
    const fallback = field.default === undefined ? (isRequired ? "(required)" : "-") : shown(field.default);
    const row = [prefix + name, typeText(field), fallback, aboutText(field)];
    return [row, ...fieldRows(field, `${prefix}${name}.`), ...fieldRows(field.items ?? {}, `${prefix}${name}[].`)];
  });
}

function typeText(field: Schema): string {
  if (field.enum !== undefined)
    return field.enum.map((one) => (typeof one === "string" ? one : shown(one))).join(" | ");
  const types = [field.type ?? "anything"].flat().join(" | ");
  const type = types === "array" ? `list of ${field.items === undefined ? "anything" : typeText(field.items)}` : types;
  const { minimum, maximum } = field;
  const bounds = minimum === undefined && maximum === undefined ? "" : ` ${minimum ?? ""}..${maximum ?? ""}`;
  return type + bounds + (field.unit === undefined ? "" : ` ${field.unit}`);
}

function aboutText({ description, pattern, examples }: Schema): string {
  const parts = [
    description,
    pattern === undefined ? undefined : `must match ${pattern}`,
    examples?.[0] === undefined ? undefined : `such as ${shown(examples[0])}`,
  ];
  return parts.filter((part) => part !== undefined).join("; ");
}

function whereText({ cloud, nodes, nodeCount }: ListedMapper): string {
  const named = nodes.slice(0, 3).join(", ");
  const gateways = nodeCount > 3 ? `${named} and ${nodeCount - 3} more` : named;
  return [...(cloud ? ["cloud"] : []), ...(nodeCount > 0 ? [gateways] : [])].join(", ");
}
