import { type ErrorCode, flagNull, type Json, type Value, type ValueType } from "@penstock/model";
import type { Chunk } from "../codec/chunk.ts";
import { rowsOf, type Ticks } from "../codec/ticks.ts";
import type { SeriesColumn } from "../codec/values.ts";

/** Readings of one series in columns, from a block or from the hot table, in no particular order. */
export interface SeriesRows {
  readonly type: ValueType;
  readonly count: number;
  readonly times: Float64Array;
  readonly seqs: Float64Array;
  readonly sources: Float64Array;
  readonly values: SeriesColumn;
  readonly flags: ArrayLike<number> | null;
  /** per row: 0 = none, k = reasonNames[k-1] */
  readonly reasons: ArrayLike<number> | null;
  readonly reasonNames: readonly string[];
}

/** @param offsets of the series itself, or of the one it names */
export function rowsOfBlock(block: {
  readonly ticks: Ticks;
  readonly chunk: Chunk;
  readonly position: number;
  readonly offsets: Float64Array | null;
}): SeriesRows {
  const { ticks, chunk, offsets } = block;
  const rowIn = rowsOf(ticks, block.position);
  const count = chunk.values.length;
  const times = new Float64Array(count);
  const seqs = new Float64Array(count);
  const sources = new Float64Array(count);
  for (let t = 0, i = 0; t < ticks.baseTimes.length && i < count; t++) {
    const row = rowIn[ticks.patternOf === null ? 0 : ticks.patternOf[t]!]!;
    if (row < 0) continue;
    times[i] = ticks.baseTimes[t]! + (offsets === null ? 0 : offsets[i]!);
    seqs[i] = ticks.firstSeqs[t]! + row;
    sources[i] = ticks.sources[t]!;
    i++;
  }
  const { type, values, flags, reasons } = chunk;
  return { type, count, times, seqs, sources, values, flags, reasons, reasonNames: ticks.reasons };
}

export function valueAt(rows: SeriesRows, i: number): Value {
  if (rows.flags !== null && (rows.flags[i]! & flagNull) !== 0) return null;
  // The casts: SeriesColumn states the element of each type.
  const raw = rows.values[i] as Exclude<Value, null>;
  if (rows.type === "bool") return raw === 1;
  if (rows.type === "json") return { json: JSON.parse(raw as string) as Json };
  return raw;
}

export function reasonAt(rows: SeriesRows, i: number): ErrorCode | null {
  const at = rows.reasons?.[i] ?? 0;
  // The cast: a newer gateway's code is carried as it came.
  return at === 0 ? null : ((rows.reasonNames[at - 1] ?? null) as ErrorCode | null);
}

/** Earlier time first; of one time, lower sequence number; the source only decides between two epochs' equals. */
export function compareRows(a: SeriesRows, i: number, b: SeriesRows, k: number): number {
  return a.times[i]! - b.times[k]! || a.seqs[i]! - b.seqs[k]! || a.sources[i]! - b.sources[k]!;
}
