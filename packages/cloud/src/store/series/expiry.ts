import type { DatabaseSync } from "node:sqlite";
import type { Micros, TenantUid } from "@penstock/model";
import type { Slices } from "./slices.ts";
import { transaction } from "./transaction.ts";

/** Removes whole blocks and hot batches that end before a time, and gives their pages back to the file system. */
export function createExpiry(db: DatabaseSync) {
  const due = db.prepare(
    `SELECT b.id, b.readings, b.first_chunk, b.width FROM layout l JOIN block b ON b.layout = l.id
     WHERE l.tenant = ? AND b.sealed = 1 AND b.t_max < ? LIMIT 1`,
  );
  const dropChunks = db.prepare("DELETE FROM chunk WHERE id >= ? AND id < ?");
  const dropBlock = db.prepare("DELETE FROM block WHERE id = ?");
  const uncount = db.prepare("UPDATE totals SET readings = readings - ?, blocks = blocks - 1, chunks = chunks - ?");
  const dropHot = db.prepare(
    "DELETE FROM hot WHERE id = ? AND t_max < ? AND layout IN (SELECT id FROM layout WHERE tenant = ?) RETURNING count",
  );

  return async (
    request: { readonly tenant: TenantUid; readonly before: Micros; readonly hotIds: Float64Array },
    slices: Slices,
  ): Promise<{ readings: number }> => {
    let readings = 0;
    for (;;) {
      if (slices.isOver()) await slices.next();
      const block = due.get(request.tenant, request.before);
      if (block === undefined) break;
      const first = Number(block.first_chunk);
      transaction(db, "ordered", () => {
        const { changes } = dropChunks.run(first, first + Number(block.width));
        dropBlock.run(Number(block.id));
        uncount.run(Number(block.readings), Number(changes));
      });
      readings += Number(block.readings);
    }
    await slices.next();
    transaction(db, "ordered", () => {
      for (const id of request.hotIds) {
        for (const row of dropHot.all(id, request.before, request.tenant)) readings += Number(row.count);
      }
    });
    // 64 pages are a megabyte; each step moves pages from the file's end into the holes.
    const free = db.prepare("PRAGMA freelist_count");
    for (let left = Number(free.get()!.freelist_count); left > 0; left -= 64) {
      await slices.next();
      db.exec("PRAGMA incremental_vacuum(64)");
    }
    return { readings };
  };
}
