import { chmodSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { AppError } from "@penstock/model";

/**
 * series.db. Everything is appended: a batch to `hot`, later a block of many batches of one layout to `block`, one chunk
 * for each of its series to `chunk` under consecutive ids, so that neither needs an index by series.
 *
 * A layout belongs to one tenant; every question starts from `layout where tenant = …`. A block counts only once it is
 * `sealed`; with it its layout's mark, `layout.sealed`, moves up to the highest hot id in it. A row of `hot` counts only if
 * its id is above its layout's mark; those below wait to be swept. `totals.sealed_hot` is the highest mark, which new ids
 * have to exceed even when the rows are gone. ranges and properties are JSON text.
 */
export const schemaVersion = 1;

const tables = `
CREATE TABLE source (
  id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, node TEXT NOT NULL, epoch TEXT NOT NULL, generation INTEGER NOT NULL,
  session_boot TEXT NOT NULL, boot TEXT, ranges TEXT NOT NULL, UNIQUE (tenant, node, epoch)
) STRICT;
CREATE TABLE layout (
  id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, device TEXT NOT NULL, hash BLOB NOT NULL,
  longest INTEGER NOT NULL DEFAULT 0, sealed INTEGER NOT NULL DEFAULT 0, properties TEXT NOT NULL,
  UNIQUE (tenant, device, hash)
) STRICT;
CREATE TABLE hot (
  id INTEGER PRIMARY KEY, layout INTEGER NOT NULL, source INTEGER NOT NULL, first_seq INTEGER NOT NULL,
  count INTEGER NOT NULL, t_min INTEGER NOT NULL, t_max INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE block (
  id INTEGER PRIMARY KEY AUTOINCREMENT, layout INTEGER NOT NULL, sealed INTEGER NOT NULL, t_min INTEGER NOT NULL, t_max INTEGER NOT NULL,
  ticks INTEGER NOT NULL, readings INTEGER NOT NULL, first_chunk INTEGER NOT NULL, width INTEGER NOT NULL, shared BLOB NOT NULL
) STRICT;
CREATE INDEX block_layout_time ON block (layout, t_max);
CREATE INDEX block_unsealed ON block (id) WHERE sealed = 0;
CREATE TABLE chunk (
  id INTEGER PRIMARY KEY, count INTEGER NOT NULL, low REAL, high REAL, total REAL, data BLOB NOT NULL
) STRICT;
CREATE TABLE totals (
  id INTEGER PRIMARY KEY CHECK (id = 1), readings INTEGER NOT NULL, blocks INTEGER NOT NULL, chunks INTEGER NOT NULL,
  next_chunk INTEGER NOT NULL, sealed_hot INTEGER NOT NULL
) STRICT;
INSERT INTO totals VALUES (1, 0, 0, 0, 1, 0);
`;

/** Chunks of one to two kilobytes and batches of eight share these with little waste. */
export const seriesPageBytes = 16_384;

/** The hot batches that count, in the order of their ids; `h` is the row and `l` its layout. */
export function liveHot(columns: string): string {
  return `SELECT ${columns} FROM hot h JOIN layout l ON l.id = h.layout WHERE h.id > l.sealed ORDER BY h.id`;
}

export function seriesFile(folder: string): string {
  return join(folder, "series.db");
}

/** @throws AppError data/newer-version */
export function prepareSchema(db: DatabaseSync, path: string): void {
  const version = Number(db.prepare("PRAGMA user_version").get()?.user_version);
  if (version > schemaVersion) {
    throw new AppError(
      "data/newer-version",
      `Cannot open "${path}": it has format ${version}, this program knows ${schemaVersion}; start the newer Penstock`,
    );
  }
  if (version === schemaVersion) return;
  chmodSync(path, 0o600);
  db.exec(`BEGIN IMMEDIATE; ${tables} PRAGMA user_version = ${schemaVersion}; COMMIT`);
}
