import type { PointResult } from "@penstock/mapper-sdk";
import type { ValueType } from "@penstock/model";
import type { DataValue } from "node-opcua-client";
import { qualityOf, reasonOf } from "./status.ts";
import { toValue } from "./to-value.ts";

/** Times before are those of clocks that were never set, or of none: 1601 is the zero of OPC UA. */
const noTimeBefore = Date.UTC(1970, 0, 2);

/** What a node answered, as the property's value; without a time. */
export function resultOf(type: ValueType, { value, statusCode }: DataValue): PointResult {
  const quality = qualityOf(statusCode);
  if (quality === "bad") return { value: null, reason: reasonOf(statusCode) };
  const converted = toValue(type, value);
  if ("reason" in converted) return { value: null, reason: converted.reason };
  return quality === "good" ? { value: converted.value } : { value: converted.value, quality };
}

/** The same, as of the time at its source, or else at the server. */
export function datedResultOf(type: ValueType, given: DataValue): PointResult {
  const time =
    micros(given.sourceTimestamp, given.sourcePicoseconds) ?? micros(given.serverTimestamp, given.serverPicoseconds);
  return { ...resultOf(type, given), ...(time !== undefined && { time }) };
}

function micros(date: Date | null, picoseconds: number): number | undefined {
  if (date === null || date === undefined || !(date.getTime() >= noTimeBefore)) return undefined;
  // The library keeps what is finer than a millisecond beside the Date.
  return date.getTime() * 1000 + Math.floor((picoseconds || 0) / 1_000_000);
}
