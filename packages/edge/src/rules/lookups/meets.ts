import { Instant, type LookupRow, type ObjectValue, type Value } from "@penstock/rules";
import { jsonOf } from "../sinks/row-json.ts";

/**
 * Whether a row is one that was asked for, of an answer that may hold others. Values are equal that read the same: a server
 * that knows texts only has "5" for 5.
 *
 * @param isKnown  whether the server has looked at the column itself: a row without it counts then
 */
export function meets(row: LookupRow, keys: ObjectValue, isKnown: (column: string) => boolean): boolean {
  return Object.entries(keys).every(([column, key]) =>
    Object.hasOwn(row, column) && row[column] !== null ? readsAs(row[column]!, key) : isKnown(column),
  );
}

/**
 * A database finds 0 for "abc" where it has to make a number of the text; what it takes for equal texts, such as "A" and "a",
 * is its own business.
 */
export function isNoMistake(row: LookupRow, keys: ObjectValue): boolean {
  return Object.entries(keys).every(([column, key]) => {
    const value = Object.hasOwn(row, column) ? row[column]! : null;
    const isNumber = typeof value === "number" || typeof value === "bigint";
    return !isNumber || typeof key !== "string" || (key.trim() !== "" && Number(key) === Number(value));
  });
}

function readsAs(value: Value, key: Value): boolean {
  if (typeof value === "boolean" || typeof key === "boolean") return textOf(value) === textOf(key);
  return textOf(value) === textOf(key) || (isNumeric(value) && isNumeric(key) && Number(value) === Number(key));
}

function isNumeric(value: Value): boolean {
  return typeof value === "number" || (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value));
}

function textOf(value: Value): string {
  if (value instanceof Instant) return String(value.ms);
  return typeof value === "string" ? value : jsonOf(value);
}
