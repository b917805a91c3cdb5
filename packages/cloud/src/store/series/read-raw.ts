import { qualityOf, type SeriesPoint, type SeriesQuery, type SeriesResult } from "@penstock/model";
import type { BlockEntry } from "./block-reader.ts";
import { compareRows, reasonAt, type SeriesRows, valueAt } from "./series-rows.ts";

/** Where a series' readings are: some at hand, the others in blocks sorted by their lowest time. */
export interface SeriesParts {
  readonly hot: readonly SeriesRows[];
  readonly blocks: readonly { readonly block: BlockEntry; readonly rows: () => SeriesRows | null }[];
}

/** The first `points` readings of [from, to) by (time, seq). */
export function readRaw(query: SeriesQuery, parts: SeriesParts): Pick<SeriesResult, "points" | "truncated"> {
  const kept: { readonly rows: SeriesRows; readonly i: number }[] = [];
  const collect = (rows: SeriesRows | null) => {
    if (rows === null) return;
    for (let i = 0; i < rows.count; i++) {
      if (rows.times[i]! >= query.from && rows.times[i]! < query.to) kept.push({ rows, i });
    }
  };
  for (const rows of parts.hot) collect(rows);
  for (const { block, rows } of parts.blocks) {
    // Blocks come by lowest time: once enough readings are older than this one begins, no later one can matter.
    if (kept.length > query.points) {
      let older = 0;
      for (const { rows: r, i } of kept) if (r.times[i]! < block.lowest) older++;
      if (older > query.points) break;
    }
    collect(rows());
  }
  kept.sort((a, b) => compareRows(a.rows, a.i, b.rows, b.i));
  return {
    truncated: kept.length > query.points,
    points: kept.slice(0, query.points).map(({ rows, i }): SeriesPoint => pointAt(rows, i)),
  };
}

export function pointAt(rows: SeriesRows, i: number): SeriesPoint {
  return {
    time: rows.times[i] as SeriesPoint["time"],
    value: valueAt(rows, i),
    quality: qualityOf(rows.flags?.[i] ?? 0),
    reason: reasonAt(rows, i),
  };
}
