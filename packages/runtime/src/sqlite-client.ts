import type { SqliteOptions } from "./sqlite.ts";
import type { SqlMethods } from "./sqlite-worker.ts";
import { startWorker, type WorkerClient, workerFile } from "./worker-host.ts";

export type SqlClient = WorkerClient<SqlMethods>;

/** One SQLite connection in its own worker thread. @throws AppError as `openSqlite` */
export function openSqlWorker(options: SqliteOptions, onLost?: (error: Error) => void): Promise<SqlClient> {
  return startWorker<SqlMethods>(workerFile(import.meta.url, "sqlite-worker"), {
    data: options,
    ...(onLost === undefined ? {} : { onLost }),
  });
}
