import { Instant, type Value } from "../value/value.ts";
import { effort } from "./effort.ts";

/** Null equals nothing, so it has no key; an integer and a float of one value have the same. */
export function joinKey(values: readonly Value[]): string | null {
  return values.includes(null) ? null : keyText(values);
}

/** Equal where the values are equal, of whatever kind. */
export function keyText(values: readonly Value[]): string {
  let key = "";
  for (const value of values) {
    const text = textOf(value);
    effort.chars(text.length);
    key += `${text.length}:${text}`;
  }
  return key;
}

function textOf(value: Value): string {
  if (typeof value === "string") return `s${value}`;
  if (typeof value === "bigint" || typeof value === "number") return `n${String(value)}`;
  if (value instanceof Instant) return `t${value.micros}`;
  const text = JSON.stringify(value, (_key, one: unknown) => (typeof one === "bigint" ? `${one}n` : one));
  effort.eachChar(text.length);
  return `v${text}`;
}
