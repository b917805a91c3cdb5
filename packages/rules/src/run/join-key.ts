import { Instant, type Value } from "../value/value.ts";

/** Null equals nothing, so it has no key; an integer and a float of one value have the same. */
export function joinKey(values: readonly Value[]): string | null {
  return values.includes(null) ? null : keyText(values);
}

/** Equal where the values are equal, of whatever kind. */
export function keyText(values: readonly Value[]): string {
  let key = "";
  for (const value of values) {
    const text = textOf(value);
    key += `${text.length}:${text}`;
  }
  return key;
}

function textOf(value: Value): string {
  if (typeof value === "string") return `s${value}`;
  if (typeof value === "bigint" || typeof value === "number") return `n${String(value)}`;
  if (value instanceof Instant) return `t${value.micros}`;
  return `v${JSON.stringify(value, (_key, one: unknown) => (typeof one === "bigint" ? `${one}n` : one))}`;
}
