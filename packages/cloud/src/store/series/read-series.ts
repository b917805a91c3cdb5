import { AppError, type SeriesQuery, type SeriesResult, type ValueType } from "@penstock/model";
import type { BlockEntry, BlockReader } from "./block-reader.ts";
import { createDownsampler } from "./downsample.ts";
import type { Layouts } from "./layouts.ts";
import type { HotIds } from "./protocol.ts";
import { readRaw, type SeriesParts } from "./read-raw.ts";
import { rowsAs } from "./rows-as.ts";

/** Answers one query from the blocks of every layout the property was ever in, and from the hot batches named. */
export function readSeries(
  store: { readonly layouts: Layouts; readonly blocks: BlockReader },
  input: { readonly query: SeriesQuery; readonly hot: readonly HotIds[] },
): SeriesResult {
  const { query } = input;
  if (!(query.points >= 1) || !Number.isInteger(query.points)) {
    throw new AppError("input/invalid", `Invalid points: ${query.points}: a whole number from 1`);
  }
  const places = store.layouts.of(query.tenant, query.device).flatMap((layout) => {
    const position = layout.positions.get(query.property);
    return position === undefined ? [] : [{ layout, position, type: layout.properties[position]!.type }];
  });
  const type: ValueType | null = query.type ?? places.at(-1)?.type ?? null;
  if (type === null || places.length === 0 || query.from >= query.to) return { type, points: [], truncated: false };

  const hot = places.map(({ layout, position }) =>
    rowsAs(store.blocks.hot(layout, position, input.hot.find((entry) => entry.layout === layout.id)?.ids ?? []), type),
  );
  const rowsOf = (block: BlockEntry, position: number) => {
    const rows = store.blocks.rows(block, position);
    return rows === null ? null : rowsAs(rows, type);
  };
  const found = places
    .flatMap(({ layout, position, type: own }) =>
      store.blocks
        .between(layout.id, query.from, query.to)
        .map((block) => ({ block, position, isRetyped: own !== type })),
    )
    .sort((a, b) => a.block.lowest - b.block.lowest);

  if (query.aggregate === "raw") {
    const blocks: SeriesParts["blocks"] = found.map(({ block, position }) => ({
      block,
      rows: () => rowsOf(block, position),
    }));
    return { type, ...readRaw(query, { hot, blocks }) };
  }
  const sampler = createDownsampler(query);
  for (const rows of hot) if (rows.count > 0) sampler.take(rows);
  for (const { block, position, isRetyped } of found) {
    // A summary is of the values as they were.
    if (!isRetyped && sampler.fitsOneSlice(block)) {
      const summary = store.blocks.summary(block, position);
      if (summary === undefined || sampler.takeSummary(block, summary)) continue;
    }
    const rows = rowsOf(block, position);
    if (rows !== null) sampler.take(rows);
  }
  return { type, points: sampler.points(type), truncated: false };
}
