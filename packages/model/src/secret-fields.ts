import { isObject } from "./is-object.ts";
import type { MapperManifest, SettingsPart } from "./mapper-manifest.ts";
import { settingsParts } from "./mapper-manifest.ts";
import { shown } from "./shown.ts";

/** Where settings stand in a spec: one of a mapper's sets of fields, or further fields. */
export type SecretPart = SettingsPart | "custom";

/**
 * The names of a mapper's fields whose schema says `format: "password"`, at any depth, as "connection.password".
 *
 * @source JSON Schema Validation draft 2020-12, 7: formats beyond its own are a program's; "password" is OpenAPI 3.1's hint
 *   that a value is not to be shown
 */
export function secretFieldsOf(manifest: Pick<MapperManifest, SecretPart>): string[] {
  const found: string[] = [];
  for (const part of [...settingsParts, "custom"] as const) collect(manifest[part], part, "", found);
  return found;
}

function collect(schema: unknown, part: SecretPart, name: string, found: string[]): void {
  if (!isObject(schema)) return;
  if (schema.format === "password" && name !== "") found.push(`${part}.${name}`);
  for (const [key, inner] of Object.entries(isObject(schema.properties) ? schema.properties : {})) {
    collect(inner, part, key, found);
  }
  collect(schema.items, part, name, found);
}

/** Whether a value lies in a field of format password. @param pointer as JSON Schema tells places, "/user/pin" */
export function isSecretAt(schema: object, pointer: string): boolean {
  let at: unknown = schema;
  for (const key of pointer.split("/").slice(1)) {
    if (!isObject(at)) return false;
    if (at.format === "password") return true;
    at =
      /^\d+$/.test(key) && at.items !== undefined ? at.items : isObject(at.properties) ? at.properties[key] : undefined;
  }
  return isObject(at) && at.format === "password";
}

/** A field of settings as an error prints it. @param field "connection.password" */
export function shownSetting(manifest: Pick<MapperManifest, SettingsPart>, field: string, value: unknown): string {
  const [part, name] = field.split(".") as [SettingsPart, string];
  if (value !== undefined && isSecretAt(manifest[part] ?? {}, `/${name}`)) return "(hidden)";
  return shown(value, { field: name });
}
