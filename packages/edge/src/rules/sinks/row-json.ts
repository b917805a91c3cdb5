import { toBase64 } from "@penstock/model";
import { Instant, type ObjectValue, type Value } from "@penstock/rules";

/**
 * A value as JSON text: integers digit by digit, however long; moments as milliseconds since 1970, as eKuiper tells them;
 * bytes as base64; what JSON has no number for as null.
 */
export function jsonOf(value: Value): string {
  switch (typeof value) {
    case "bigint":
      return value.toString();
    case "number":
      return Number.isFinite(value) ? String(value) : "null";
    case "string":
      return JSON.stringify(value);
    case "boolean":
      return String(value);
    default:
  }
  if (value === null || value === undefined) return "null";
  if (value instanceof Instant) return String(value.ms);
  if (value instanceof Uint8Array) return `"${toBase64(value)}"`;
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(",")}]`;
  return `{${Object.entries(value as ObjectValue)
    .map(([name, one]) => `${JSON.stringify(name)}:${jsonOf(one)}`)
    .join(",")}}`;
}

/** Only these columns, in this order; none named: all of them. A column that a row does not have is null. */
export function chosen(row: ObjectValue, fields: readonly string[] | undefined): ObjectValue {
  if (fields === undefined) return row;
  return Object.fromEntries(fields.map((name) => [name, Object.hasOwn(row, name) ? row[name]! : null]));
}
