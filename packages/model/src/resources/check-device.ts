import type { FieldError } from "../errors.ts";
import { limits } from "../limits.ts";
import { checkAgainstManifest, type MapperManifest } from "../mapper-manifest.ts";
import { formatDuration, parseDuration } from "../time.ts";
import { integerBounds, isIntegerType, isNumericType, type ValueType } from "../value.ts";
import type { MergedDevice, MergedProperty } from "./effective-device.ts";

/**
 * What a schema cannot say of a merged device: types, bounds, cycles, the mapper's own fields. Pure.
 *
 * @param manifest  of the device's protocol
 * @returns [] when the gateway can take it
 */
export function checkDevice(merged: MergedDevice, manifest: MapperManifest): FieldError[] {
  const fields = checkAgainstManifest(manifest, { address: merged.address }, { address: "spec.address" });
  if (merged.properties.size > limits.propertiesPerDevice) {
    fields.push({
      field: "spec.properties",
      value: `${merged.properties.size} properties`,
      rule: `must be at most ${limits.propertiesPerDevice}, those of the model included`,
    });
    return fields;
  }
  for (const [name, property] of merged.properties) {
    const at = `spec.properties.${name}`;
    const own = checkProperty(property, at);
    fields.push(...own);
    if (own.length === 0) {
      const visitor = `${at}.visitor`;
      fields.push(...checkAgainstManifest(manifest, { visitor: property.visitor ?? {} }, { visitor }));
    }
    if (fields.length >= 20) break;
  }
  return fields;
}

/** Type, bounds and cycle of one property; also used for a model's, where the visitor may still be incomplete. */
export function checkProperty(property: MergedProperty, at: string): FieldError[] {
  const fields: FieldError[] = [];
  if (property.type === undefined) {
    fields.push({ field: `${at}.type`, value: "(missing)", rule: "is required, here or in the model" });
    return fields;
  }
  const low = checkBound(property.type, property.minimum, `${at}.minimum`, fields);
  const high = checkBound(property.type, property.maximum, `${at}.maximum`, fields);
  if (low !== null && high !== null && low > high) {
    const rule = `must be at most maximum, ${String(property.maximum)}`;
    fields.push({ field: `${at}.minimum`, value: shown(property.minimum), rule });
  }
  const every = property.collect?.every;
  if (every !== undefined) {
    const ms = parseDuration(every);
    if (ms === null || ms < limits.collectEveryMinMs || ms > limits.collectEveryMaxMs) {
      const range = `${formatDuration(limits.collectEveryMinMs)}..${formatDuration(limits.collectEveryMaxMs)}`;
      fields.push({ field: `${at}.collect.every`, value: shown(every), rule: `must be ${range}` });
    }
    if (property.access === "write") {
      fields.push({
        field: `${at}.collect`,
        value: shown(property.collect),
        rule: "a write-only property is never read",
      });
    }
  }
  return fields;
}

/** Adds what is wrong to `fields`; returns the bound, exact, or null when there is none that can be compared. */
function checkBound(
  type: ValueType,
  bound: number | string | undefined,
  field: string,
  fields: FieldError[],
): bigint | number | null {
  if (bound === undefined) return null;
  const refuse = (rule: string) => {
    fields.push({ field, value: shown(bound), rule });
    return null;
  };
  if (!isNumericType(type)) return refuse(`${type} has no range`);
  if (!isIntegerType(type)) return Number(bound);
  if (typeof bound === "number" && !Number.isSafeInteger(bound)) {
    return refuse(`must be a whole number for ${type}; beyond 2^53 as decimal text`);
  }
  const value = BigInt(bound);
  const [least, most] = integerBounds[type];
  return value < least || value > most ? refuse(`must be ${least}..${most}, the range of ${type}`) : value;
}

function shown(value: unknown): string {
  const text =
    value === undefined
      ? "(missing)"
      : JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? inner.toString() : inner));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
