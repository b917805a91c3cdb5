import { type Micros, toBase64 } from "@penstock/model";
import { Instant, type ObjectValue, type Value } from "@penstock/rules";

/** A row that a rule is tried on. */
export interface TrialRow {
  readonly stream: string;
  readonly time: Micros;
  readonly values: { [name: string]: unknown };
}

/** A row as JSON shows it: integers beyond 2^53 as text, moments as RFC 3339, bytes as base64. */
export function jsonRow(row: ObjectValue | TrialRow["values"]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, jsonOf(value as Value)]));
}

export function jsonOf(value: Value): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "object" || value === null) return value ?? null;
  if (value instanceof Instant) return value.toJSON();
  if (value instanceof Uint8Array) return toBase64(value);
  return Array.isArray(value) ? value.map(jsonOf) : jsonRow(value as ObjectValue);
}
