import type { DatabaseSync } from "node:sqlite";
import { AppError, type Layout, type Micros } from "@penstock/model";
import { decodeChunk } from "../codec/chunk.ts";
import { decodeTicks } from "../codec/ticks.ts";
import { type HotBody, rowsOfHot } from "./hot-rows.ts";
import { rowsOfBlock, type SeriesRows } from "./series-rows.ts";

/** A sealed block's place in time; its readings are fetched only when asked for. */
export interface BlockEntry {
  readonly id: number;
  readonly lowest: Micros;
  readonly highest: Micros;
  readonly firstChunk: number;
}
/** What is known of a chunk without decoding it; null aggregates mean that it has to be decoded. */
export interface ChunkSummary {
  readonly count: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly total: number | null;
}

/** The reading side's statements. Every question runs in one transaction, so that it sees one moment of the store. */
export function createBlockReader(db: DatabaseSync) {
  const between = db.prepare(
    `SELECT b.id, b.t_min, b.t_max, b.first_chunk FROM layout l JOIN block b ON b.layout = l.id
     WHERE l.id = ? AND b.t_max >= ? AND b.t_max < ? + l.longest AND b.t_min < ? AND b.sealed = 1 ORDER BY b.t_min`,
  );
  const newest = db.prepare(
    "SELECT id, t_min, t_max, first_chunk FROM block WHERE layout = ? AND sealed = 1 ORDER BY t_max DESC",
  );
  const shared = db.prepare("SELECT shared FROM block WHERE id = ?");
  const data = db.prepare("SELECT data FROM chunk WHERE id = ?");
  const summary = db.prepare("SELECT count, low, high, total FROM chunk WHERE id = ?");
  const hot = db.prepare("SELECT source, first_seq, body FROM hot WHERE id = ? AND layout = ?");

  const entry = (row: Record<string, unknown>): BlockEntry => ({
    id: Number(row.id),
    lowest: row.t_min as Micros,
    highest: row.t_max as Micros,
    firstChunk: Number(row.first_chunk),
  });

  return {
    between: (layout: number, from: Micros, to: Micros) => between.all(layout, from, to, to).map(entry),
    *newest(layout: number): Generator<BlockEntry> {
      for (const row of newest.iterate(layout)) yield entry(row);
    },
    summary: (block: BlockEntry, position: number) =>
      // The cast: the columns of `summary` are these four, typed by the table.
      summary.get(block.firstChunk + position) as unknown as ChunkSummary | undefined,
    /** null when the block has nothing of the series */
    rows(block: BlockEntry, position: number): SeriesRows | null {
      const found = data.get(block.firstChunk + position);
      if (found === undefined) return null;
      const chunk = decodeChunk(found.data as Uint8Array);
      let { offsets } = chunk;
      if (typeof offsets === "number") {
        const other = data.get(block.firstChunk + offsets);
        offsets = other === undefined ? null : decodeChunk(other.data as Uint8Array).offsets;
        if (!(offsets instanceof Float64Array)) {
          throw new AppError("store/corrupt", `Cannot read block ${block.id}: the times of ${position} are missing`);
        }
      }
      const ticks = decodeTicks(shared.get(block.id)!.shared as Uint8Array);
      return rowsOfBlock({ ticks, chunk, position, offsets });
    },
    hot(layout: Layout, position: number, ids: Iterable<number>): SeriesRows {
      function* bodies(): Generator<HotBody> {
        for (const id of ids) {
          const row = hot.get(id, layout.id);
          // Sealed since the ids were listed: its block is in sight instead.
          if (row === undefined) continue;
          yield {
            source: Number(row.source),
            firstSeq: Number(row.first_seq),
            body: row.body as Uint8Array,
          };
        }
      }
      return rowsOfHot(layout, position, bodies());
    },
  };
}
export type BlockReader = ReturnType<typeof createBlockReader>;
