import type { DatabaseSync } from "node:sqlite";
import { AppError, type Layout, type Micros } from "@penstock/model";
import { decodeChunk, decodeOffsets } from "../codec/chunk.ts";
import { decodeTicks, type Ticks } from "../codec/ticks.ts";
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

/** Blocks whose ticks are kept decoded, about 15 kB each; the one read longest ago goes. */
const ticksKept = 500;

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
  // One statement for all of them: asking for each by itself costs twice the time.
  const hot = db.prepare(
    `SELECT source, first_seq, body FROM hot WHERE id IN (SELECT value FROM json_each(?1)) AND layout = ?2
     AND id > (SELECT sealed FROM layout WHERE id = ?2)`,
  );
  hot.setReturnArrays(true);

  const decoded = new Map<number, Ticks>();

  /** A page of trends asks for many series of the same blocks. Block ids are never given twice (AUTOINCREMENT). */
  function ticksOf(block: number): Ticks {
    const known = decoded.get(block);
    if (known !== undefined) {
      decoded.delete(block);
      decoded.set(block, known);
      return known;
    }
    const ticks = decodeTicks(shared.get(block)!.shared as Uint8Array);
    const oldest = decoded.size >= ticksKept ? decoded.keys().next().value : undefined;
    if (oldest !== undefined) decoded.delete(oldest);
    decoded.set(block, ticks);
    return ticks;
  }

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
        offsets = other === undefined ? null : decodeOffsets(other.data as Uint8Array);
        if (!(offsets instanceof Float64Array)) {
          throw new AppError("store/corrupt", `Cannot read block ${block.id}: the times of ${position} are missing`);
        }
      }
      return rowsOfBlock({ ticks: ticksOf(block.id), chunk, position, offsets });
    },
    /** Ids that have been sealed since they were listed are not found: their block is in sight instead. */
    hot(layout: Layout, position: number, ids: readonly number[] | Float64Array): SeriesRows {
      // The cast: rows as arrays, in the order of the columns.
      const rows = hot.all(JSON.stringify([...ids]), layout.id) as unknown as [number, number, Uint8Array][];
      return rowsOfHot(
        layout,
        position,
        rows.map(([source, firstSeq, body]): HotBody => ({ source, firstSeq, body })),
      );
    },
  };
}
export type BlockReader = ReturnType<typeof createBlockReader>;
