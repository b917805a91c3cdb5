import { castExactly, flagBad, flagNull, type ValueType } from "@penstock/model";
import { type SeriesRows, valueAt } from "./series-rows.ts";

const wrongType = "twin/wrong-type";

/**
 * Readings as values of the type that the property has now: the same numbers where that type holds them exactly, else null,
 * bad and twin/wrong-type. So a mean never mixes in what only looks like a number, and no text is shown as one.
 */
export function rowsAs(rows: SeriesRows, type: ValueType): SeriesRows {
  if (rows.type === type) return rows;
  const { count } = rows;
  const flags = Uint8Array.from({ length: count }, (_, i) => rows.flags?.[i] ?? 0);
  const reasons = Uint16Array.from({ length: count }, (_, i) => rows.reasons?.[i] ?? 0);
  const values =
    type === "int64"
      ? new BigInt64Array(count)
      : type === "uint64"
        ? new BigUint64Array(count)
        : new Float64Array(count);
  for (let i = 0; i < count; i++) {
    if ((flags[i]! & flagNull) !== 0) continue;
    const value = castExactly(valueAt(rows, i), type);
    if (value === null) {
      flags[i] = flagBad | flagNull;
      reasons[i] = rows.reasonNames.length + 1;
      // The cast: a column of the type takes what castExactly gives for it.
    } else (values as unknown as unknown[])[i] = value;
  }
  return { ...rows, type, values, flags, reasons, reasonNames: [...rows.reasonNames, wrongType] };
}
