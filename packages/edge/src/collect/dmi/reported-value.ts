import type { ErrorCode, Value, ValueType } from "@penstock/model";
import { isIntegerType, valueFromText } from "@penstock/model";

export type Reported =
  | { readonly value: Exclude<Value, null>; readonly reason?: never }
  | { readonly value: null; readonly reason: ErrorCode };

/** In the year 2243. What is farther is judged like it, and must not be more than a batch can hold. */
const farthest = 8_640_000_000_000_000;
const notFinite = /^[+-]?(nan|inf(inity)?)$/i;

/**
 * The text of a report as a value of the property's type. Mappers are written in many languages, so "True", "+3" and "7.0"
 * are what they seem to be; anything else that is not of the type is mapper/bad-answer, never guessed at.
 */
export function reportedValue(type: ValueType, text: string): Reported {
  const parsed = valueFromText(type, plain(type, text));
  if (parsed.ok && parsed.value !== null) return { value: parsed.value };
  const isNumber = type === "float32" || type === "float64";
  return {
    value: null,
    reason: isNumber && notFinite.test(text.trim()) ? "mapper/value-not-finite" : "mapper/bad-answer",
  };
}

function plain(type: ValueType, text: string): string {
  if (type === "string" || type === "json" || type === "bytes") return text;
  const short = text.trim().toLowerCase();
  if (type === "bool") return short === "1" ? "true" : short === "0" ? "false" : short;
  const unsigned = short.replace(/^\+/, "");
  return isIntegerType(type) ? unsigned.replace(/\.0+$/, "") : unsigned;
}

/** Microseconds; a mapper writes milliseconds as text. Null when it says nothing that is a time. */
export function reportedTime(metadata: ReadonlyMap<string, string>): number | null {
  const text = metadata.get("timestamp");
  if (text === undefined || !/^\d{1,15}$/.test(text)) return null;
  return Math.min(Number(text) * 1000, farthest);
}
