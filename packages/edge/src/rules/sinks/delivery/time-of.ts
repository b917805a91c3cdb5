import type { Micros } from "@penstock/model";
import { Instant, type ObjectValue } from "@penstock/rules";
import type { ParcelRow } from "./courier.ts";
import { refused } from "./peer-error.ts";

/**
 * The time of a row: of the column, a moment or milliseconds since 1970; without a column when it was computed.
 *
 * @throws AppError rules/sink-refused
 */
export function timeOf(column: string | undefined, { row, time }: ParcelRow): Micros {
  if (column === undefined) return time;
  const value = Object.hasOwn(row, column) ? (row as ObjectValue)[column] : null;
  if (value instanceof Instant) return value.micros as Micros;
  const micros = typeof value === "bigint" || typeof value === "number" ? Math.round(Number(value) * 1000) : Number.NaN;
  if (!Number.isSafeInteger(micros))
    throw refused("tell the row's time", `${column} is neither a moment nor milliseconds`);
  return micros as Micros;
}
