import type { DatabaseSync } from "node:sqlite";
import { AppError } from "@penstock/model";
import { batchTimes, decodeBatchBody } from "@penstock/wire";
import { ByteWriter } from "../codec/byte-writer.ts";
import { encodeChunk } from "../codec/chunk.ts";
import { encodeTicks } from "../codec/ticks.ts";
import { createBlockSource, type HotTick } from "./block-source.ts";
import type { Layouts } from "./layouts.ts";
import type { SealRequest } from "./protocol.ts";
import type { Slices } from "./slices.ts";
import { transaction } from "./transaction.ts";

/**
 * Turns hot batches of one layout into a block. Its chunks are written in slices under a block row that nobody sees yet;
 * the last transaction shows the block and moves the layout's mark, which hides the batches. A crash before it leaves the
 * batches and an unsealed block, which `removeUnsealed` takes away at the next start; a crash after it leaves the block:
 * never both, never neither. The hidden rows are swept later.
 *
 * The caller's duty: the ids ascend, and are all of the layout's live batches up to the last of them.
 */
export function createSealer(options: { readonly db: DatabaseSync; readonly layouts: Layouts }) {
  const { db, layouts } = options;
  const selectHot = db.prepare("SELECT source, first_seq, body FROM hot WHERE id = ? AND layout = ?");
  const markOf = db.prepare("SELECT sealed FROM layout WHERE id = ?");
  const takeChunkIds = db.prepare("UPDATE totals SET next_chunk = next_chunk + ? RETURNING next_chunk AS next");
  const addBlock = db.prepare(
    `INSERT INTO block (layout, sealed, t_min, t_max, ticks, readings, first_chunk, width, shared)
     VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const addChunk = db.prepare("INSERT INTO chunk (id, count, low, high, total, data) VALUES (?, ?, ?, ?, ?, ?)");
  const show = db.prepare("UPDATE block SET sealed = 1 WHERE id = ?");
  const mark = db.prepare("UPDATE layout SET longest = max(longest, ?), sealed = ? WHERE id = ?");
  const count = db.prepare(
    `UPDATE totals SET readings = readings + ?, blocks = blocks + 1, chunks = chunks + ?,
     sealed_hot = max(sealed_hot, ?)`,
  );
  const out = new ByteWriter(65_536);

  return async (request: SealRequest, slices: Slices): Promise<{ readings: number; bytes: number }> => {
    const layout = layouts.get(request.layout);
    const ticks: HotTick[] = [];
    let last = Number(markOf.get(request.layout)!.sealed);
    let readings = 0;
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    for (const id of request.ids) {
      if (slices.isOver()) await slices.next();
      const row = selectHot.get(id, request.layout);
      if (row === undefined) throw new AppError("internal", `Cannot seal hot batch ${id}: there is none`);
      if (id <= last) throw new AppError("internal", `Cannot seal hot batch ${id}: ${last} is sealed or came before`);
      last = id;
      const batch = decodeBatchBody(layout, row.body as Uint8Array);
      const times = batchTimes(batch);
      lowest = Math.min(lowest, times.lowest);
      highest = Math.max(highest, times.highest);
      readings += batch.count;
      ticks.push({ source: Number(row.source), firstSeq: Number(row.first_seq), batch });
    }
    await slices.next();
    const source = createBlockSource(layout, ticks);
    const shared = encodeTicks(source.shared);
    const width = layout.properties.length;
    const { block, firstChunk } = transaction(db, "ordered", () => {
      const first = Number(takeChunkIds.get(width)!.next) - width;
      const added = addBlock.run(request.layout, lowest, highest, ticks.length, readings, first, width, shared);
      return { block: added.lastInsertRowid, firstChunk: first };
    });
    let bytes = shared.length;
    let chunks = 0;
    for (let position = 0; position < width; ) {
      await slices.next();
      transaction(db, "ordered", () => {
        do {
          const chunk = source.chunk(position);
          if (chunk !== null) {
            const data = encodeChunk(out, chunk);
            addChunk.run(firstChunk + position, chunk.values.length, chunk.low, chunk.high, chunk.total, data);
            bytes += data.length;
            chunks++;
          }
          position++;
        } while (position < width && !slices.isOver());
      });
    }
    await slices.next();
    transaction(db, "ordered", () => {
      show.run(block);
      mark.run(highest - lowest, last, request.layout);
      count.run(readings, chunks, last);
    });
    return { readings, bytes };
  };
}

/** Takes away what an unfinished job left. */
export function removeUnsealed(db: DatabaseSync): void {
  transaction(db, "ordered", () => {
    db.exec(
      `DELETE FROM chunk WHERE id IN (SELECT c.id FROM block b JOIN chunk c
         ON c.id >= b.first_chunk AND c.id < b.first_chunk + b.width WHERE b.sealed = 0);
       DELETE FROM block WHERE sealed = 0`,
    );
  });
}
