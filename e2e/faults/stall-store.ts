import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { until } from "./until.ts";

/** How long it is tried; the store writes for milliseconds at a time. */
const tryMs = 3000;

/**
 * Lets the cloud's series store wait, as a disk does that hangs: we hold the lock that its writer needs.
 *
 * `release` lets it go on; `close` is to be called when the cloud has the file open again, because the last connection that
 * closes tidies up the log, and a killed cloud must find it as it left it.
 *
 * @returns null when the lock was not to be had
 */
export async function stallStore(folder: string): Promise<{ release(): void; close(): void } | null> {
  const db = new DatabaseSync(join(folder, "series.db"));
  db.exec("PRAGMA busy_timeout = 0");
  const begin = () => {
    db.exec("BEGIN IMMEDIATE");
    return true;
  };
  if ((await until(begin, tryMs, 1)) === null) {
    db.close();
    return null;
  }
  return { release: () => db.exec("ROLLBACK"), close: () => db.close() };
}
