import { join } from "node:path";
import { AppError } from "@penstock/model";
import { type Log, openSqlWorker } from "@penstock/runtime";
import { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import type { Database, StateStore } from "../../state-schema.ts";
import { stateMigrations } from "./migrations.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";

/**
 * Opens `state.db` in the folder, which must exist, and brings its tables up to date.
 *
 * @throws AppError data/not-writable, data/disk-full, store/corrupt
 */
export async function openStateStore(options: {
  readonly folder: string;
  readonly log: Log;
  /** a worker ended by itself: nothing can be stored any more */
  readonly onLost?: (error: Error) => void;
}): Promise<StateStore> {
  const path = join(options.folder, "state.db");
  const onLost = (error: Error) => {
    options.log.error({ error: error.message }, "The state store's worker ended");
    options.onLost?.(error);
  };
  const writer = await openSqlWorker({ path }, onLost);
  let reader: Awaited<ReturnType<typeof openSqlWorker>>;
  try {
    // Only now: the writer has made the file.
    reader = await openSqlWorker({ path, readOnly: true }, onLost);
  } catch (error) {
    await writer.close();
    throw error;
  }
  const db = new Kysely<Database>({ dialect: sqliteDialect({ writer, reader }) });
  const close = async () => {
    await db.destroy();
    await reader.close();
    await writer.close();
  };
  const { error } = await new Migrator({ db, provider: stateMigrations("sqlite") }).migrateToLatest();
  if (error !== undefined) {
    await close();
    throw error instanceof AppError
      ? error
      : new AppError("store/write-failed", `Cannot bring the tables of "${path}" up to date`, { cause: error });
  }
  return { db, close };
}
