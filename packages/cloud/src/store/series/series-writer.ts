/** The worker that holds the one writing connection to series.db. */
import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { DeviceUid, Micros, TenantUid } from "@penstock/model";
import { openSqlite, serveWorker, sqliteError } from "@penstock/runtime";
import { createExpiry } from "./expiry.ts";
import { createLayouts } from "./layouts.ts";
import type { HotRow, WriterMethods } from "./protocol.ts";
import { liveHot, prepareSchema, seriesFile, seriesPageBytes } from "./schema.ts";
import { createSealer, removeUnsealed } from "./seal-job.ts";
import { createSlices } from "./slices.ts";
import { createSweeper } from "./sweeper.ts";
import { createGroupWriter } from "./write-group.ts";

export interface WriterData {
  readonly folder: string;
  readonly sliceMs: number;
}

let db: DatabaseSync | null = null;
let closing = false;
let jobs = 0;

function openFile(path: string): DatabaseSync {
  const opened = openSqlite({ path, pageBytes: seriesPageBytes, checkpointPages: 2048, cacheKib: 32_768 });
  try {
    prepareSchema(opened, path);
    removeUnsealed(opened);
    return opened;
  } catch (error) {
    opened.close();
    throw sqliteError(error, `Cannot open "${path}"`);
  }
}

function createMethods(file: DatabaseSync, path: string, sliceMs: number): WriterMethods {
  const groups = createGroupWriter(file);
  const seal = createSealer({ db: file, layouts: createLayouts(file) });
  const sweep = createSweeper(file);
  const expire = createExpiry(file);
  const slices = () => createSlices({ sliceMs, isClosing: () => closing, elapsed: () => performance.now() });
  async function job<T>(work: () => Promise<T>): Promise<T> {
    jobs++;
    try {
      return await work();
    } finally {
      jobs--;
    }
  }
  return {
    hot() {
      const marks = new Map<number, number>();
      const layouts = file.prepare("SELECT id, tenant, device, sealed FROM layout").all();
      for (const row of layouts) marks.set(Number(row.id), Number(row.sealed));
      const rows: HotRow[] = [];
      const sealedIds: number[] = [];
      for (const row of file.prepare("SELECT id, layout, t_min, t_max FROM hot ORDER BY id").iterate()) {
        const id = Number(row.id);
        const layout = Number(row.layout);
        if (id <= marks.get(layout)!) sealedIds.push(id);
        else rows.push({ id, layout, lowest: row.t_min as Micros, highest: row.t_max as Micros });
      }
      const live = new Set(rows.map((row) => row.layout));
      return {
        rows,
        sealedIds: Float64Array.from(sealedIds),
        layouts: layouts
          .map((row) => ({
            id: Number(row.id),
            tenant: row.tenant as TenantUid,
            device: row.device as DeviceUid,
          }))
          .filter((row) => live.has(row.id)),
      };
    },
    defineLayout: groups.defineLayout,
    group: groups.group,
    seal: (request) => job(() => seal(request, slices())),
    sweep: (range) => job(() => sweep(range, slices())),
    expire: (request) => job(() => expire(request, slices())),
    tenants: () =>
      file
        .prepare("SELECT DISTINCT tenant FROM layout")
        .all()
        .map((row) => row.tenant as TenantUid),
    stats() {
      const totals = file.prepare("SELECT readings, chunks FROM totals").get()!;
      const hot = file
        .prepare(`SELECT count(*) AS batches, coalesce(sum(count), 0) AS readings FROM (${liveHot("h.count")})`)
        .get()!;
      const series = file
        .prepare(
          "SELECT count(*) AS n FROM (SELECT DISTINCT tenant, device, json_extract(p.value, '$[0]') FROM layout, json_each(properties) p)",
        )
        .get()!;
      const wal = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
      return {
        readings: Number(totals.readings) + Number(hot.readings),
        hotBatches: Number(hot.batches),
        chunks: Number(totals.chunks),
        series: Number(series.n),
        bytes: statSync(path).size + wal,
      };
    },
    checkpoint() {
      file.exec("PRAGMA incremental_vacuum");
      file.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    },
  };
}

serveWorker<WriterData>({
  open({ folder, sliceMs }) {
    const path = seriesFile(folder);
    const opened = openFile(path);
    db = opened;
    return createMethods(opened, path, sliceMs);
  },
  async close() {
    closing = true;
    while (jobs > 0) await setImmediate();
    db?.close();
  },
});
