import type { FieldError } from "../errors.ts";
import { limits } from "../limits.ts";
import { checkAgainstManifest, type MapperManifest } from "../mapper-manifest.ts";
import { shown } from "../shown.ts";
import type { Json } from "../value.ts";
import { brokenBound } from "../value-check.ts";
import { valueFromJson } from "../value-json.ts";
import { checkDuration } from "./check-duration.ts";
import { checkRange } from "./check-property.ts";
import { checkUnit } from "./check-unit.ts";
import type { MethodSpec } from "./device.ts";
import { argumentNamed, effectiveProperty, type MergedDevice, type MergedProperty } from "./effective-device.ts";

/** A method of a device; `at` is its own path. @param manifest  null in a model that names no protocol */
export function checkMethod(options: {
  readonly method: MethodSpec;
  readonly at: string;
  readonly properties: MergedDevice["properties"];
  readonly manifest: MapperManifest | null;
}): FieldError[] {
  const { method, at, properties, manifest } = options;
  const { visitor, sets, result } = method;
  const fields: FieldError[] = [];
  if ((visitor === undefined) === (sets === undefined)) {
    const both = visitor !== undefined;
    const rule = both ? "cannot stand beside visitor: state one of the two" : "must state visitor or sets";
    fields.push({ field: both ? `${at}.sets` : at, value: shown(both ? sets : method), rule });
    return fields;
  }
  const timeout = { field: `${at}.timeout`, least: 1, most: limits.methodTimeoutMaxMs };
  fields.push(...checkDuration(method.timeout, timeout));
  for (const [name, argument] of Object.entries(method.arguments ?? {})) {
    fields.push(...checkRange(argument.type, argument, `${at}.arguments.${name}`));
    fields.push(...checkUnit(argument.unit, `${at}.arguments.${name}.unit`));
  }
  fields.push(...checkUnit(result?.unit, `${at}.result.unit`));
  if (visitor !== undefined && manifest !== null) {
    fields.push(...checkAgainstManifest(manifest, { method: visitor }, { method: `${at}.visitor` }));
  }
  if (sets === undefined) return fields;
  if (result !== undefined) {
    fields.push({ field: `${at}.result`, value: shown(result), rule: "a method that sets properties has no result" });
  }
  if (Object.keys(sets).length === 0) {
    fields.push({ field: `${at}.sets`, value: "{}", rule: "must set at least one property" });
  }
  for (const [name, value] of Object.entries(sets)) {
    fields.push(...checkSet({ method, name, value, property: properties.get(name), at: `${at}.sets.${name}` }));
  }
  return fields;
}

/** One property that a method sets: to a value, or to an argument. */
function checkSet(options: {
  readonly method: MethodSpec;
  readonly name: string;
  readonly value: unknown;
  readonly property: MergedProperty | undefined;
  readonly at: string;
}): FieldError[] {
  const { method, name, value, property, at } = options;
  const refuse = (rule: string) => [{ field: at, value: shown(value), rule }];
  if (property === undefined) return refuse("the device has no such property");
  // A property without a type is told of where it stands.
  if (property.type === undefined) return [];
  if ((property.access ?? "read") === "read") return refuse("the property's access is read");
  const argument = argumentNamed(value);
  if (argument !== null) {
    const type = method.arguments?.[argument]?.type;
    if (type === undefined) return refuse(`the method has no argument "${argument}"`);
    return type === property.type ? [] : refuse(`the argument is ${type}, the property ${property.type}`);
  }
  const parsed = valueFromJson(property.type, value as Json);
  if (!parsed.ok) return refuse(parsed.rule);
  const rule = brokenBound(effectiveProperty(name, property), parsed.value);
  return rule === null ? [] : refuse(rule);
}
