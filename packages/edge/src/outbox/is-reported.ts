import { type ErrorCode, type Json, type ReportPolicy, sameValue, type ValueType } from "@penstock/model";

/** A value as it stands in a batch's column: bool as 0 or 1, json as its text. */
export type Cell = number | bigint | string | Uint8Array;

export interface CellReading {
  readonly cell: Cell;
  /** quality and whether the value is null */
  readonly flag: number;
  readonly reason: ErrorCode | null;
}
/** What went to the cloud last, when (microseconds of the monotonic clock), and in which of the policy's periods. */
export interface LastReport extends CellReading {
  readonly at: number;
  readonly period: number;
}

/**
 * Whether a reading goes to the cloud by a policy that is not "every reading".
 *
 * Promise: the first reading goes; every change of quality, of reason, between null and a value; the first reading of
 * each period; with `deadband` every value that is further from the last reported one than it; with `atLeastMs` the first
 * reading after so long without one. Compared is always with what was reported, never with what was withheld, so values
 * that creep are reported too.
 *
 * @param now.period number of the period that the policy's cadence is in; 0 without a cadence
 */
export function isReported(options: {
  readonly type: ValueType;
  readonly policy: ReportPolicy;
  readonly last: LastReport | null;
  readonly reading: CellReading;
  readonly now: { readonly at: number; readonly period: number };
}): boolean {
  const { type, policy, last, reading, now } = options;
  if (last === null || reading.flag !== last.flag || reading.reason !== last.reason) return true;
  if (now.period !== last.period) return true;
  if (policy.atLeastMs !== null && now.at - last.at >= policy.atLeastMs * 1000) return true;
  return policy.deadband !== null && isBeyond(type, policy.deadband, last.cell, reading.cell);
}

/** Exact for 64-bit integers: JavaScript compares a bigint with a number by their mathematical values. */
function isBeyond(type: ValueType, deadband: number, a: Cell, b: Cell): boolean {
  if (a === b) return false;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return !sameValue(a, b);
  if (type === "json")
    return !sameValue({ json: JSON.parse(a as string) as Json }, { json: JSON.parse(b as string) as Json });
  if (deadband === 0 || type === "bool" || type === "string") return true;
  if (typeof a === "bigint" && typeof b === "bigint") return (a > b ? a - b : b - a) > deadband;
  return Math.abs((a as number) - (b as number)) > deadband;
}
