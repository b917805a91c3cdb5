import {
  AppError,
  flagBad,
  flagNull,
  isIntegerType,
  type Micros,
  type Quality,
  qualityMask,
  type SeriesPoint,
  type SeriesQuery,
  type Value,
  type ValueType,
} from "@penstock/model";
import type { ChunkSummary } from "./block-reader.ts";
import { pointAt } from "./read-raw.ts";
import { compareRows, reasonAt, type SeriesRows } from "./series-rows.ts";

interface Place {
  readonly rows: SeriesRows;
  readonly i: number;
}
interface Bucket {
  used: number;
  total: number;
  low: number | bigint | null;
  high: number | bigint | null;
  lowAt: Place | null;
  highAt: Place | null;
  first: Place | null;
  last: Place | null;
  /** newest reading that was left out because it is bad */
  lastBad: Place | null;
  uncertain: boolean;
}

/**
 * `points` equal slices of [from, to), each slice with readings giving one point (minmax: two, in time order). Readings of
 * quality bad take no part; a slice that has only those gives null with the last one's reason. The quality is the worst of
 * what took part. first, last and minmax carry the readings' own times, the others the start of their slice; a mean, sum
 * or count is a number whatever the type; low and high keep the type.
 */
export function createDownsampler(query: SeriesQuery) {
  const buckets = new Map<number, Bucket>();
  const width = (query.to - query.from) / query.points;
  /** first whole microsecond of a slice */
  const begin = (index: number) => query.from + Math.ceil(index * width);
  function at(time: number): number {
    const guess = Math.min(query.points - 1, Math.floor((time - query.from) / width));
    return time < begin(guess) ? guess - 1 : time >= begin(guess + 1) ? guess + 1 : guess;
  }
  const ownTimes = query.aggregate === "first" || query.aggregate === "last" || query.aggregate === "minmax";

  function bucket(index: number): Bucket {
    let found = buckets.get(index);
    if (found === undefined) {
      found = {
        used: 0,
        total: 0,
        low: null,
        high: null,
        lowAt: null,
        highAt: null,
        first: null,
        last: null,
        lastBad: null,
        uncertain: false,
      };
      buckets.set(index, found);
    }
    return found;
  }

  return {
    /** true where a chunk's summary could be enough: it lies in one slice, and no reading's own time is asked for */
    fitsOneSlice: ({ lowest, highest }: { readonly lowest: Micros; readonly highest: Micros }) =>
      !ownTimes && lowest >= query.from && highest < query.to && at(lowest) === at(highest),
    /** for a chunk that fits; false when it has to be decoded after all */
    takeSummary({ lowest }: { readonly lowest: Micros }, summary: ChunkSummary): boolean {
      if (summary.low === null || summary.high === null || summary.total === null) return false;
      const into = bucket(at(lowest));
      into.used += summary.count;
      into.total += summary.total;
      if (into.low === null || summary.low < into.low) into.low = summary.low;
      if (into.high === null || summary.high > into.high) into.high = summary.high;
      return true;
    },
    take(rows: SeriesRows): void {
      requireNumbers(rows.type, query.aggregate);
      const { times, values, flags } = rows;
      let into: Bucket | null = null;
      // Neighbours mostly fall into the same slice, so its bounds are kept.
      let start = 0;
      let end = 0;
      for (let i = 0; i < rows.count; i++) {
        const time = times[i]!;
        if (into === null || time < start || time >= end) {
          if (time < query.from || time >= query.to) continue;
          const index = at(time);
          start = begin(index);
          end = begin(index + 1);
          into = bucket(index);
        }
        const flag = flags === null ? 0 : flags[i]!;
        if (flag !== 0) {
          if ((flag & flagNull) !== 0 || (flag & qualityMask) === flagBad) {
            if (isLater(rows, i, into.lastBad)) into.lastBad = { rows, i };
            continue;
          }
          into.uncertain = true;
        }
        into.used++;
        if (query.aggregate === "first" || query.aggregate === "last") {
          if (isEarlier(rows, i, into.first)) into.first = { rows, i };
          if (isLater(rows, i, into.last)) into.last = { rows, i };
          continue;
        }
        const value = values[i]!;
        if (typeof value !== "number" && typeof value !== "bigint") continue;
        into.total += Number(value);
        if (into.low === null || value < into.low) {
          into.low = value;
          if (ownTimes) into.lowAt = { rows, i };
        } else if (ownTimes && value === into.low && isEarlier(rows, i, into.lowAt)) into.lowAt = { rows, i };
        if (into.high === null || value > into.high) {
          into.high = value;
          if (ownTimes) into.highAt = { rows, i };
        } else if (ownTimes && value === into.high && isEarlier(rows, i, into.highAt)) into.highAt = { rows, i };
      }
    },
    points(type: ValueType): SeriesPoint[] {
      return [...buckets]
        .sort(([a], [b]) => a - b)
        .flatMap(([index, found]) => pointsOf(found, begin(index) as Micros, type));
    },
  };

  function pointsOf(found: Bucket, start: Micros, type: ValueType): SeriesPoint[] {
    const quality: Quality = found.uncertain ? "uncertain" : "good";
    const point = (value: Value): SeriesPoint => ({ time: start, value, quality, reason: null });
    if (found.used === 0 && query.aggregate !== "count") {
      const { rows, i } = found.lastBad!;
      return [{ time: start, value: null, quality: "bad", reason: reasonAt(rows, i) }];
    }
    switch (query.aggregate) {
      case "count":
        return [point(found.used)];
      case "sum":
        return [point(found.total)];
      case "mean":
        return [point(found.total / found.used)];
      case "min":
        return [point(asType(found.low, type))];
      case "max":
        return [point(asType(found.high, type))];
      case "first":
        return [pointAt(found.first!.rows, found.first!.i)];
      case "last":
        return [pointAt(found.last!.rows, found.last!.i)];
      default: {
        const low = found.lowAt!;
        const high = found.highAt!;
        if (low.rows === high.rows && low.i === high.i) return [pointAt(low.rows, low.i)];
        const inOrder = compareRows(low.rows, low.i, high.rows, high.i) < 0 ? [low, high] : [high, low];
        return inOrder.map((place) => pointAt(place.rows, place.i));
      }
    }
  }
}

function isEarlier(rows: SeriesRows, i: number, than: Place | null): boolean {
  return than === null || compareRows(rows, i, than.rows, than.i) < 0;
}

function isLater(rows: SeriesRows, i: number, than: Place | null): boolean {
  return than === null || compareRows(rows, i, than.rows, than.i) > 0;
}

function asType(value: number | bigint | null, type: ValueType): Value {
  return type === "bool" ? value === 1 : value;
}

/** @throws AppError input/invalid */
function requireNumbers(type: ValueType, aggregate: SeriesQuery["aggregate"]): void {
  if (aggregate === "count" || aggregate === "first" || aggregate === "last") return;
  if (isIntegerType(type) || type === "float32" || type === "float64" || type === "bool") return;
  throw new AppError(
    "input/invalid",
    `Invalid aggregate: "${aggregate}": a ${type} has none; ask for raw, first, last or count`,
  );
}
