import type { DatabaseSync } from "node:sqlite";
import type { Slices } from "./slices.ts";
import type { HotRange } from "./sweep-planner.ts";
import { transaction } from "./transaction.ts";

/** A few milliseconds at most, even when each row stands in a page of its own. */
const stepIds = 32;

/**
 * Takes sealed batches of a range out of the hot table, in slices; live ones stay. A crash between two slices is
 * harmless: the mark of their layout hides what is left, and the next start counts it again.
 */
export function createSweeper(db: DatabaseSync) {
  const drop = db.prepare(
    "DELETE FROM hot WHERE id >= ? AND id < ? AND id <= (SELECT sealed FROM layout WHERE layout.id = hot.layout)",
  );
  return async ({ from, to }: HotRange, slices: Slices): Promise<void> => {
    for (let at = from; at < to; ) {
      await slices.next();
      transaction(db, "ordered", () => {
        do {
          drop.run(at, Math.min(at + stepIds, to));
          at += stepIds;
        } while (at < to && !slices.isOver());
      });
    }
  };
}
