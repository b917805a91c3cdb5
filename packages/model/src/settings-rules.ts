import type { FieldError } from "./errors.ts";
import type { MapperManifest, SettingsGiven, SettingsPart, SettingsRule } from "./mapper-manifest.ts";
import type { Access } from "./resources/device.ts";
import { shownSetting } from "./secret-fields.ts";
import { shorthandValue } from "./shorthand.ts";
import { shown } from "./shown.ts";
import type { Json, ValueType } from "./value.ts";

type Schemas = Pick<MapperManifest, SettingsPart> & Partial<Pick<MapperManifest, "shorthands">>;

/** What a rule may depend on besides the parts that are checked. */
export interface RuleContext {
  /** parts that were checked before, such as the connection of a device */
  readonly known?: SettingsGiven;
  /** of the property whose visitor is checked, and how the user wrote it */
  readonly property?: { readonly access: Access; readonly type: ValueType; readonly at: string };
}

/** A rule is looked at once: with the deepest of the parts that it names. */
const depth: Readonly<Record<SettingsPart, number>> = { connection: 0, address: 1, visitor: 2, method: 2 };

/** The rules of a mapper that the given parts break; each says why, in the mapper's own words. */
export function checkRules(
  manifest: Schemas & Pick<MapperManifest, "rules">,
  given: SettingsGiven,
  at: { readonly [part in SettingsPart]?: string },
  context: RuleContext,
): FieldError[] {
  const all: SettingsGiven = { ...context.known, ...given };
  const fields: FieldError[] = [];
  const pathOf = (field: string) => {
    const { part, name } = partsOf(field);
    return `${at[part] ?? part}.${name}`;
  };
  for (const rule of manifest.rules) {
    const parts = partsNamed(rule);
    const deepest = parts.reduce((a, b) => (depth[b] > depth[a] ? b : a));
    if (!(deepest in given) || parts.some((part) => !(part in all))) continue;
    const value = fieldValue(manifest, all, rule.when.field);
    if (!isOneOf(rule.when, value)) continue;
    if (rule.unless !== undefined && isOneOf(rule.unless, fieldValue(manifest, all, rule.unless.field))) continue;
    const where =
      value === undefined
        ? `without ${pathOf(rule.when.field)}`
        : `with ${pathOf(rule.when.field)} ${shownSetting(manifest, rule.when.field, value)}`;
    for (const field of rule.require ?? []) {
      if (fieldValue(manifest, all, field) !== undefined) continue;
      fields.push({ field: pathOf(field), value: shown(undefined), rule: `is required ${where}: ${rule.because}` });
    }
    for (const field of rule.refuse ?? []) {
      const written = writtenValue(all, field);
      if (written === undefined) continue;
      fields.push({
        field: pathOf(field),
        value: shownSetting(manifest, field, written),
        rule: `cannot stand ${where}: ${rule.because}`,
      });
    }
    const { property } = context;
    if (property === undefined) continue;
    if (rule.access !== undefined && !rule.access.includes(property.access)) {
      const allowed = `must be ${rule.access.join(" or ")} ${where}: ${rule.because}`;
      fields.push({ field: `${property.at}.access`, value: shown(property.access), rule: allowed });
    }
    if (rule.types !== undefined && !rule.types.includes(property.type)) {
      const allowed = `must be ${rule.types.join(" or ")} ${where}: ${rule.because}`;
      fields.push({ field: `${property.at}.type`, value: shown(property.type), rule: allowed });
    }
  }
  return fields;
}

function isOneOf({ in: values }: SettingsRule["when"], value: unknown): boolean {
  return values.some((one) => one === (value ?? null));
}

/** What a field says, by itself or by a text that stands for it; its default counts. @param field "visitor.table" */
export function fieldValue(manifest: Schemas, given: SettingsGiven, field: string): unknown {
  const value = writtenValue(given, field);
  if (value !== undefined) return value;
  const byText = shorthandValue(manifest, given, field);
  if (byText !== undefined) return byText;
  const { part, name } = partsOf(field);
  return (manifest[part]?.properties as Readonly<Record<string, { readonly default?: Json }>> | undefined)?.[name]
    ?.default;
}

function writtenValue(given: SettingsGiven, field: string): unknown {
  const { part, name } = partsOf(field);
  const settings = given[part] as Readonly<Record<string, unknown>> | null | undefined;
  return settings !== null && settings !== undefined && Object.hasOwn(settings, name) ? settings[name] : undefined;
}

function partsNamed({ when, require = [], refuse = [] }: SettingsRule): SettingsPart[] {
  return [when.field, ...require, ...refuse].map((field) => partsOf(field).part);
}

/** The manifest's schema allows no field of another part. */
function partsOf(field: string): { readonly part: SettingsPart; readonly name: string } {
  const dot = field.indexOf(".");
  return { part: field.slice(0, dot) as SettingsPart, name: field.slice(dot + 1) };
}
