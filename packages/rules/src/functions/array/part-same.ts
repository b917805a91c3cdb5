import type { Mode } from "../../parse/ast.ts";
import { effort } from "../../run/effort.ts";
import { isSame } from "../../value/compare.ts";
import { RowError } from "../../value/row-error.ts";
import { Instant, isObject, kindOf, type Value } from "../../value/value.ts";

/**
 * Whether two elements are the same. Strict: as `=` has it, so 1 is 1.0, arrays and structs by what they hold; null is null.
 * Compat, as Go compares interfaces: an integer is never a float, and two arrays or two structs do not compare.
 *
 * @throws RowError
 */
export function sameElement(name: string, left: Value, right: Value, mode: Mode): boolean {
  if (mode === "strict") return isSame(left, right);
  const kind = kindOf(left);
  if (kind !== kindOf(right)) return false;
  if (isNested(left)) throw noKey(name, left);
  return isSame(left, right);
}

/**
 * A text that two elements share exactly when they are the same; null for NaN, which is no other's. (Inside of another
 * element it is.)
 *
 * @throws RowError in compat mode for arrays, structs and bytes, which eKuiper cannot keep in a set
 */
export function elementKey(name: string, value: Value, mode: Mode): string | null {
  if (mode === "compat" && isNested(value)) throw noKey(name, value);
  if (typeof value === "number" && Number.isNaN(value)) return null;
  return keyOf(value, mode);
}

export function isNested(value: Value): boolean {
  return ["array", "struct", "bytea"].includes(kindOf(value));
}

function keyOf(value: Value, mode: Mode): string {
  effort.fields(1);
  switch (typeof value) {
    case "bigint":
      return `n${value}`;
    case "number":
      return mode === "strict" && Number.isInteger(value) ? `n${BigInt(value)}` : `f${value}`;
    case "string":
      effort.chars(value.length << 2);
      return JSON.stringify(value);
    case "boolean":
      return String(value);
    default:
  }
  if (value === null || value === undefined) return "null";
  if (value instanceof Instant) return `t${value.micros}`;
  if (value instanceof Uint8Array) {
    effort.eachChar(value.length << 1);
    return `b${value.join()}`;
  }
  if (isObject(value)) {
    const names = Object.keys(value).sort();
    effort.sort(names.length);
    effort.fields(names.length);
    return `{${names.map((one) => `${JSON.stringify(one)}:${keyOf(value[one]!, mode)}`).join()}}`;
  }
  return `[${(value as readonly Value[]).map((one) => keyOf(one, mode)).join()}]`;
}

function noKey(name: string, value: Value): RowError {
  return new RowError(`Cannot call ${name}: eKuiper does not compare elements that are a ${kindOf(value)}`);
}
