import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Epoch, Layout, NodeUid, Reading, TenantUid } from "@penstock/model";
import { qualityOf } from "@penstock/model";
import { openSqlite } from "@penstock/runtime";
import { createBlockReader } from "./block-reader.ts";
import { createLayouts } from "./layouts.ts";
import { liveHot, seriesFile } from "./schema.ts";
import { reasonAt, type SeriesRows, valueAt } from "./series-rows.ts";

/** A reading with its identity, as it stands in the store's own file. */
export interface StoredReading extends Reading {
  readonly tenant: TenantUid;
  readonly node: NodeUid;
  readonly epoch: Epoch;
  readonly seq: number;
}

/**
 * Every reading of a store's folder, series by series, in no particular order; sealed or not. For tools and tests: it opens
 * the file itself, read-only and in the calling thread, and sees one moment of it. A store that is open may go on.
 */
export function* readAllReadings(folder: string): Generator<StoredReading> {
  const path = seriesFile(folder);
  if (!existsSync(path)) return;
  const db = openSqlite({ path, readOnly: true });
  try {
    db.exec("BEGIN");
    yield* readAll(db);
  } finally {
    db.close();
  }
}

function* readAll(db: DatabaseSync): Generator<StoredReading> {
  const layouts = createLayouts(db);
  const blocks = createBlockReader(db);
  const sources = new Map(
    db
      .prepare("SELECT id, node, epoch FROM source")
      .all()
      .map((row) => [Number(row.id), { node: row.node as NodeUid, epoch: row.epoch as Epoch }]),
  );
  const hotIds = new Map<number, number[]>();
  for (const row of db.prepare(liveHot("h.id, h.layout")).iterate()) {
    const ids = hotIds.get(Number(row.layout));
    if (ids === undefined) hotIds.set(Number(row.layout), [Number(row.id)]);
    else ids.push(Number(row.id));
  }
  for (const { id } of db.prepare("SELECT id FROM layout ORDER BY id").all()) {
    const layout = layouts.get(Number(id));
    const hot = hotIds.get(layout.id) ?? [];
    for (let position = 0; position < layout.properties.length; position++) {
      for (const block of blocks.newest(layout.id)) {
        const rows = blocks.rows(block, position);
        if (rows !== null) yield* readingsOf(rows, position, layout);
      }
      // In parts, so that a long hot table is not unpacked into memory at once.
      for (let from = 0; from < hot.length; from += 500) {
        yield* readingsOf(blocks.hot(layout, position, hot.slice(from, from + 500)), position, layout);
      }
    }
  }

  function* readingsOf(rows: SeriesRows, position: number, layout: Layout & { tenant: TenantUid }) {
    for (let i = 0; i < rows.count; i++) {
      yield {
        ...sources.get(rows.sources[i]!)!,
        tenant: layout.tenant,
        seq: rows.seqs[i]!,
        device: layout.device,
        property: layout.properties[position]!.name,
        type: rows.type,
        time: rows.times[i] as Reading["time"],
        value: valueAt(rows, i),
        quality: qualityOf(rows.flags?.[i] ?? 0),
        reason: reasonAt(rows, i),
      };
    }
  }
}
