import type { DatabaseSync } from "node:sqlite";
import { sqliteError } from "@penstock/runtime";

/**
 * synced: COMMIT returns after the log has been synced, for all that is acknowledged. ordered: no sync of its own; after a
 * power cut it is there or not, but never without what was committed before it, and the next synced commit makes it durable.
 *
 * @source SQLite documentation, "Write-Ahead Logging" and "PRAGMA synchronous": the log is one file, replayed in order up
 * to the first frame whose checksum fails
 */
export type Durability = "synced" | "ordered";

/** Runs `work` between BEGIN and COMMIT; when either throws, nothing of it has happened. */
export function transaction<T>(db: DatabaseSync, durability: Durability, work: () => T): T {
  try {
    if (durability === "ordered") db.exec("PRAGMA synchronous = NORMAL");
    db.exec("BEGIN IMMEDIATE");
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw sqliteError(error, "Cannot commit to the series store");
  } finally {
    if (durability === "ordered") db.exec("PRAGMA synchronous = FULL");
  }
}
