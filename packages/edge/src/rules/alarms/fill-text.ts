import type { ObjectValue, Value } from "@penstock/rules";
import { Instant } from "@penstock/rules/values";

/** Columns in a text: `${temperature}`. What the row does not have, or has as null, is "-". */
export function fillText(text: string, row: ObjectValue, longest: number): string {
  return text.replace(/\$\{([^{}]{1,256})\}/g, (_, column: string) => textOf(row[column] ?? null)).slice(0, longest);
}

function textOf(value: Value): string {
  if (value === null) return "-";
  if (typeof value === "string") return value;
  if (value instanceof Instant) return value.toJSON();
  if (typeof value !== "object") return String(value);
  return JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? String(inner) : inner));
}
