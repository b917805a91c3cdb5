import { parseMicros } from "@penstock/model";
import { Instant, type Value } from "@penstock/rules";
import { valueOfJson } from "./json-value.ts";

/** With these the client hands over what loses nothing: long integers, decimals, moments and JSON as texts. */
export const exact = {
  ...{ supportBigNumbers: true, bigNumberStrings: true, dateStrings: true, jsonStrings: true, decimalNumbers: false },
} as const;

/** @source MySQL 8.4 source, include/field_types.h */
const typeNumbers = {
  integer: [1, 2, 3, 8, 9, 13],
  real: [0, 4, 5, 246],
  moment: [7, 12],
  json: [245],
} as const;

/**
 * What MySQL or MariaDB says, as rules know it: integers exact, decimals as floats, moments (the connection's zone is UTC),
 * JSON, and bytes; everything else is text.
 *
 * @param type  of the column, as the protocol numbers it
 */
export function mysqlValue(type: number, value: unknown): Value {
  if (value === null || value === undefined) return null;
  const is = (types: readonly number[]) => types.includes(type);
  if (is(typeNumbers.integer)) return BigInt(value as string | number);
  if (is(typeNumbers.real)) return Number(value);
  if (is(typeNumbers.moment)) return momentOf(String(value));
  if (is(typeNumbers.json) && typeof value === "string") return valueOfJson(value);
  return value instanceof Uint8Array ? new Uint8Array(value) : (value as Value);
}

/** "2027-01-15 08:00:00.123456"; what is none, such as 0000-00-00, stays text. */
function momentOf(text: string): Value {
  const micros = parseMicros(`${text.replace(" ", "T")}Z`);
  return micros === null ? text : new Instant(micros);
}
