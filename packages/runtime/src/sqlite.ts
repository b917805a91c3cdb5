import { DatabaseSync } from "node:sqlite";
import { AppError, type ErrorCode } from "@penstock/model";

export interface SqliteOptions {
  readonly path: string;
  readonly readOnly?: boolean;
  /** of a new file; an existing one keeps its own */
  readonly pageBytes?: number;
  /** the write-ahead log is copied back into the file when it holds this many pages */
  readonly checkpointPages?: number;
  readonly cacheKib?: number;
}

/**
 * Opens one connection. To be used in a worker thread only: every call blocks its thread.
 *
 * WAL with synchronous=FULL: the log is synced inside COMMIT, before it returns (fdatasync on Linux), so what was
 * committed survives a power cut. Close every connection before its worker ends.
 *
 * @throws AppError data/not-writable, data/disk-full, store/corrupt
 * @source SQLite documentation, "PRAGMA synchronous": FULL syncs the WAL after each transaction commit, NORMAL does not
 */
export function openSqlite(options: SqliteOptions): DatabaseSync {
  try {
    const db = new DatabaseSync(options.path, { readOnly: options.readOnly ?? false });
    db.exec("PRAGMA busy_timeout = 5000");
    db.exec(`PRAGMA cache_size = ${-(options.cacheKib ?? 16_384)}`);
    if (options.readOnly !== true) {
      db.exec(`PRAGMA page_size = ${options.pageBytes ?? 4096}`);
      // Must stand before the first table: it lets the file give pages back after a retention run.
      db.exec("PRAGMA auto_vacuum = INCREMENTAL");
      db.exec("PRAGMA journal_mode = WAL");
      db.exec("PRAGMA synchronous = FULL");
      db.exec("PRAGMA foreign_keys = ON");
      db.exec(`PRAGMA wal_autocheckpoint = ${options.checkpointPages ?? 1000}`);
      db.exec("PRAGMA journal_size_limit = 67108864");
    }
    return db;
  } catch (error) {
    throw sqliteError(error, `Cannot open "${options.path}"`);
  }
}

/** Turns an error of node:sqlite into one of the table; anything that is none of SQLite's passes unchanged. */
export function sqliteError(error: unknown, action: string): unknown {
  const errcode = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  if (typeof errcode !== "number") return error;
  const text = error instanceof Error ? error.message : "";
  return new AppError(codeFor(errcode), `${action}: ${text} (SQLite ${errcode})`, { cause: error });
}

// SQLite result codes, https://www.sqlite.org/rescode.html: the low byte is the primary code.
function codeFor(errcode: number): ErrorCode {
  const ioerrShmSize = 4874; // the shared-memory file could not grow: the disk is full
  if (errcode === ioerrShmSize) return "data/disk-full";
  switch (errcode & 0xff) {
    case 13: // FULL
      return "data/disk-full";
    case 11: // CORRUPT
    case 26: // NOTADB
      return "store/corrupt";
    case 3: // PERM
    case 8: // READONLY
    case 14: // CANTOPEN
      return "data/not-writable";
    case 5: // BUSY
    case 10: // IOERR
      return "store/write-failed";
    default:
      return "internal";
  }
}
