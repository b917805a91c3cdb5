import { type Column, flagGood, type Layout, type ReadingBatch, type ValueType, valueTypes } from "@penstock/model";
import type { Chunk } from "../codec/chunk.ts";
import { rowsOf, type Ticks } from "../codec/ticks.ts";
import type { SeriesColumn } from "../codec/values.ts";

/** One batch of the hot table, decoded. */
export interface HotTick {
  readonly source: number;
  readonly firstSeq: number;
  readonly batch: ReadingBatch;
}
/** low, high and total of the values; null unless all are good numbers that a double holds */
export interface Aggregate {
  readonly low: number | null;
  readonly high: number | null;
  readonly total: number | null;
}

/**
 * Turns batches (all series at one time) into chunks (one series over many times).
 *
 * @param ticks of one layout; sorted here by (time, source, seq)
 */
export function createBlockSource(layout: Layout, ticks: HotTick[]) {
  ticks.sort((a, b) => a.batch.baseTime - b.batch.baseTime || a.source - b.source || a.firstSeq - b.firstSeq);
  const { patterns, patternOf } = patternsOf(ticks);
  const { reasons, reasonMaps } = reasonsOf(ticks);
  const shared: Ticks = {
    sources: Float64Array.from(ticks, (tick) => tick.source),
    baseTimes: Float64Array.from(ticks, (tick) => tick.batch.baseTime),
    firstSeqs: Float64Array.from(ticks, (tick) => tick.firstSeq),
    patterns,
    patternOf: patterns.length === 1 ? null : patternOf,
    reasons,
  };
  const starts = patterns.map((pattern) => typeStarts(layout, pattern));
  const anyOffsets = ticks.some((tick) => tick.batch.offsets !== null);
  const anyFlags = ticks.some((tick) => tick.batch.flags !== null);
  const anyReasons = ticks.some((tick) => tick.batch.reasonIndex !== null);
  const offsetsSeen = new Map<number, { readonly position: number; readonly offsets: Float64Array }[]>();

  /** Properties read in one request have the same times: the first of them keeps the offsets, the others name it. */
  function sharedOffsets(position: number, offsets: Float64Array): Float64Array | number | null {
    let hash = offsets.length;
    let any = false;
    for (const offset of offsets) {
      hash = Math.imul(hash ^ offset, 16777619);
      any ||= offset !== 0;
    }
    if (!any) return null;
    const seen = offsetsSeen.get(hash) ?? [];
    const same = seen.find((other) => equal(other.offsets, offsets));
    if (same !== undefined) return same.position;
    seen.push({ position, offsets });
    offsetsSeen.set(hash, seen);
    return offsets;
  }

  return {
    shared,
    /** null when no tick has the series */
    chunk(position: number): (Chunk & Aggregate) | null {
      const type = layout.properties[position]!.type;
      const rank = valueTypes.indexOf(type);
      const rowIn = rowsOf(shared, position);
      const present: number[] = [];
      for (let t = 0; t < ticks.length; t++) if (rowIn[patternOf[t]!]! >= 0) present.push(t);
      const count = present.length;
      if (count === 0) return null;

      const columns = new Array<Column>(count);
      const places = new Int32Array(count);
      const offsets = anyOffsets ? new Float64Array(count) : null;
      const flags = anyFlags ? new Uint8Array(count) : null;
      const reasonAt = anyReasons ? new Uint16Array(count) : null;
      let bad = false;
      for (let i = 0; i < count; i++) {
        const t = present[i]!;
        const { batch } = ticks[t]!;
        const pattern = patternOf[t]!;
        const row = rowIn[pattern]!;
        columns[i] = batch.columns[rank]!;
        places[i] = row - starts[pattern]![rank]!;
        if (offsets !== null) offsets[i] = batch.offsets?.[row] ?? 0;
        const flag = batch.flags?.[row] ?? flagGood;
        if (flag !== flagGood) {
          flags![i] = flag;
          bad = true;
        }
        if (reasonAt !== null) reasonAt[i] = reasonMaps[t]?.[batch.reasonIndex?.[row] ?? 0] ?? 0;
      }
      const values = gather(type, columns, places, bad ? flags : null);
      return {
        type,
        values,
        offsets: offsets === null ? null : sharedOffsets(position, offsets),
        flags: bad ? flags : null,
        reasons: reasonAt?.some((at) => at !== 0) === true ? reasonAt : null,
        ...aggregate(bad ? null : values),
      };
    },
  };
}

function gather(
  type: ValueType,
  columns: readonly Column[],
  places: Int32Array,
  flags: Uint8Array | null,
): SeriesColumn {
  const count = places.length;
  // The casts: the columns of a type have that type's element, as ReadingBatch states.
  if (type === "string" || type === "json")
    return columns.map((column, i) => (column as readonly string[])[places[i]!]!);
  if (type === "bytes") return columns.map((column, i) => (column as readonly Uint8Array[])[places[i]!]!);
  if (type === "int64" || type === "uint64") {
    const wide = type === "int64" ? new BigInt64Array(count) : new BigUint64Array(count);
    for (let i = 0; i < count; i++) {
      // A null row repeats the value before it, which costs nothing.
      wide[i] = isNull(flags, i) ? (wide[i - 1] ?? 0n) : (columns[i] as BigInt64Array)[places[i]!]!;
    }
    return wide;
  }
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    if (isNull(flags, i)) values[i] = i === 0 ? 0 : values[i - 1]!;
    else values[i] = (columns[i] as Float64Array)[places[i]!]!;
  }
  return values;
}

function isNull(flags: Uint8Array | null, i: number): boolean {
  return flags !== null && (flags[i]! & 4) !== 0;
}

function aggregate(values: SeriesColumn | null): Aggregate {
  if (!(values instanceof Float64Array)) return { low: null, high: null, total: null };
  let low = values[0]!;
  let high = low;
  let total = 0;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
    total += value;
  }
  return { low, high, total };
}

/** For each type rank, the row at which its rows begin. */
function typeStarts(layout: Layout, pattern: Uint16Array | null): Int32Array {
  const starts = new Int32Array(valueTypes.length).fill(-1);
  const length = pattern?.length ?? layout.properties.length;
  for (let row = 0; row < length; row++) {
    const rank = valueTypes.indexOf(layout.properties[pattern?.[row] ?? row]!.type);
    if (starts[rank] === -1) starts[rank] = row;
  }
  return starts;
}

function patternsOf(ticks: readonly HotTick[]) {
  const patterns: (Uint16Array | null)[] = [];
  const byKey = new Map<string, number>();
  const patternOf = ticks.map(({ batch: { index } }) => {
    const key =
      index === null ? "all" : Buffer.from(index.buffer, index.byteOffset, index.byteLength).toString("latin1");
    const known = byKey.get(key) ?? patterns.length;
    if (known === patterns.length) {
      patterns.push(index);
      byKey.set(key, known);
    }
    return known;
  });
  return { patterns, patternOf };
}

/** One list of reasons for the block, and for each tick its own numbers in that list's. */
function reasonsOf(ticks: readonly HotTick[]) {
  const places = new Map<string, number>();
  const reasonMaps = ticks.map(({ batch }) => {
    if (batch.reasonIndex === null) return null;
    return [
      0,
      ...batch.reasons.map((reason) => {
        const place = places.get(reason) ?? places.size + 1;
        places.set(reason, place);
        return place;
      }),
    ];
  });
  return { reasons: [...places.keys()], reasonMaps };
}

function equal(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
