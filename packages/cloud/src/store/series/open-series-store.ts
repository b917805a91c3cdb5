import { AppError, type Micros, type SeriesStore, type TenantUid } from "@penstock/model";
import { type Clock, type Log, type Metrics, startWorker, workerFile } from "@penstock/runtime";
import { timesOfBody } from "./batch-times.ts";
import { createGroupQueue } from "./group-queue.ts";
import { createHotIndex } from "./hot-index.ts";
import type { HotRow, ReaderMethods, WriterMethods } from "./protocol.ts";
import { createSealPlanner } from "./seal-planner.ts";
import type { WriterData } from "./series-writer.ts";
import { createSweepPlanner } from "./sweep-planner.ts";

export interface SeriesStoreOptions {
  /** holds series.db; must exist */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** how long a batch may stay hot; it can be queried all the while */
  readonly hotAgeMs?: number;
  /** how long a tenant's readings are kept; null = for ever. Asked once an hour */
  readonly retentionMs?: (tenant: TenantUid) => Promise<number | null>;
  /** a worker ended by itself: nothing can be stored any more */
  readonly onLost?: (error: Error) => void;
}
export interface OpenSeriesStore extends SeriesStore {
  /** removes what is older, in whole blocks; @returns how many readings */
  expire(tenant: TenantUid, before: Micros): Promise<number>;
  /** resolves when nothing is due for sealing */
  sealed(): Promise<void>;
  /** copies the write-ahead log into the file and gives free pages back */
  checkpoint(): Promise<void>;
}

const sliceMs = 5;
const ageCheckMs = 60_000;
const retentionCheckMs = 3_600_000;

/**
 * The embedded series store: one writing and one reading worker on `series.db`. docs/decisions/0002-series-store.md.
 *
 * @throws AppError data/not-writable, data/disk-full, data/newer-version, store/corrupt
 */
export async function openSeriesStore(options: SeriesStoreOptions): Promise<OpenSeriesStore> {
  const { folder, clock, metrics } = options;
  const log = options.log.with({ stage: "store" });
  const onLost = (error: Error) => {
    log.error({ error: error.message }, "A worker of the series store ended");
    options.onLost?.(error);
  };
  const data: WriterData = { folder, sliceMs };
  const writer = await startWorker<WriterMethods>(workerFile(import.meta.url, "series-writer"), { data, onLost });
  const reader = await startWorker<ReaderMethods>(workerFile(import.meta.url, "series-reader"), {
    data: { folder },
    onLost,
  }).catch(async (error) => {
    await writer.close();
    throw error;
  });

  const hot = createHotIndex();
  const planner = createSealPlanner();
  const sweeps = createSweepPlanner();
  const queue = createGroupQueue((group) => writer.call("group", group, [group.meta.buffer, group.bodies.buffer]));
  const committed = metrics.counter(
    "penstock_store_committed_batches_total",
    "Batches that the series store has committed",
  );
  const sealedReadings = metrics.counter("penstock_store_sealed_readings_total", "Readings packed into chunks");
  const sealedBytes = metrics.counter("penstock_store_sealed_bytes_total", "Bytes of the chunks they were packed into");
  const sealFailures = metrics.counter(
    "penstock_store_seal_failures_total",
    "Blocks that could not be written; tried again",
  );
  let closing = false;
  /** sealing or expiry: never both, since each would take batches away under the other's hands */
  let job: Promise<void> | null = null;

  const found = await writer.call("hot", null);
  for (const layout of found.layouts) hot.know(layout);
  for (const row of found.rows) keep(row);
  for (const id of found.sealedIds) sweeps.stored(id);
  sweeps.sealed(found.sealedIds);

  function keep(row: HotRow): void {
    sweeps.stored(row.id);
    planner.grown(row.layout, hot.add(row, clock.now()));
  }
  function begin(work: Promise<void>): void {
    job = work.finally(() => {
      job = null;
      seal();
    });
  }
  /** One block at a time: the writer shares its thread between it and the commits. */
  function seal(): void {
    if (job !== null || closing) return;
    const next = planner.next();
    if (next !== null) begin(sealBlock(next.layout, next.ticks));
  }
  async function sealBlock(layout: number, ticks: number): Promise<void> {
    const ids = hot.oldest(layout, ticks);
    if (ids.length === 0) return;
    try {
      const { readings, bytes } = await writer.call("seal", { layout, ids });
      hot.remove(layout, ids, clock.now());
      sweeps.sealed(ids);
      sealedReadings.add(readings);
      sealedBytes.add(bytes);
      planner.grown(layout, hot.count(layout));
    } catch (error) {
      // Nothing is lost: the batches stay hot, and the next growth or the age check asks again.
      if (closing) return;
      sealFailures.add();
      log.warn({ layout, error: String(error) }, "A block could not be sealed");
      return;
    }
    await sweep().catch((error: unknown) => {
      // Nothing is lost: what is sealed stays hidden, and the next block asks again.
      if (!closing) log.warn({ error: String(error) }, "Sealed batches could not be swept");
    });
  }
  /** Part of a job, so that nothing is sealed meanwhile. */
  async function sweep(): Promise<void> {
    for (let range = sweeps.next(); range !== null; range = sweeps.next()) {
      await writer.call("sweep", range);
      sweeps.swept(range);
    }
  }

  let cancelAge = clock.after(ageCheckMs, checkAge);
  function checkAge(): void {
    const limit = (clock.now() - (options.hotAgeMs ?? 3_600_000) * 1000) as Micros;
    for (const layout of hot.olderThan(limit)) planner.aged(layout, hot.count(layout));
    seal();
    cancelAge = clock.after(ageCheckMs, checkAge);
  }
  async function expire(tenant: TenantUid, before: Micros): Promise<number> {
    while (job !== null) await job;
    const done = remove(tenant, before);
    begin(
      done.then(
        () => {},
        () => {},
      ),
    );
    return await done;
  }
  async function remove(tenant: TenantUid, before: Micros): Promise<number> {
    // What has expired must not stay in the file as a sealed batch's row.
    sweeps.askForAll();
    await sweep();
    const due = hot.endingBefore(tenant, before);
    const hotIds = Float64Array.from(due.flatMap((entry) => [...entry.ids]));
    const { readings } = await writer.call("expire", { tenant, before, hotIds });
    for (const entry of due) hot.remove(entry.layout, entry.ids, clock.now());
    sweeps.removed(hotIds);
    return readings;
  }
  const { retentionMs } = options;
  let cancelRetention = retentionMs === undefined ? () => {} : clock.after(retentionCheckMs, checkRetention);
  function checkRetention(): void {
    retain().then(
      () => {},
      (error: unknown) => {
        if (!closing) log.warn({ error: String(error) }, "Readings past their retention could not be removed");
      },
    );
    cancelRetention = clock.after(retentionCheckMs, checkRetention);
  }
  async function retain(): Promise<void> {
    for (const tenant of await writer.call("tenants", null)) {
      const keptMs = await retentionMs!(tenant);
      if (keptMs === null) continue;
      const readings = await expire(tenant, (clock.now() - keptMs * 1000) as Micros);
      if (readings > 0) log.info({ tenant, readings }, "Readings past their retention were removed");
    }
  }

  seal();
  return {
    openSource: (who) => queue.open(who),
    async defineLayout(tenant, layout) {
      const { device, properties } = layout;
      const id = await writer.call("defineLayout", { tenant, device, properties });
      hot.know({ id, tenant, device });
      return id;
    },
    async commit(commit) {
      for (const { layoutId, body } of commit.batches) {
        const layout = hot.layout(layoutId);
        if (layout === null) {
          throw new AppError("internal", `Cannot commit to layout ${layoutId}: it was never defined`);
        }
        if (log.tracing) {
          // The same id as model's traceId gives, without decoding the batch.
          const id = `${layout.device}@${timesOfBody(body).baseTime}`;
          log.trace({ file: "cloud/src/store/series/open-series-store.ts", id }, "Handed to the series writer");
        }
      }
      const places = await queue.commit(commit);
      for (const { id, layout, lowest, highest } of places) {
        keep({ id, layout, lowest: lowest as Micros, highest: highest as Micros });
      }
      committed.add(places.length);
      seal();
    },
    query: (query) =>
      reader.call("query", { query, hot: hot.overlapping(query.tenant, query.device, query.from, query.to) }),
    latest(tenant, series) {
      const devices = new Set(series.map(({ device }) => device));
      return reader.call("latest", {
        tenant,
        series,
        hot: [...devices].flatMap((device) => hot.newestFirst(tenant, device)),
      });
    },
    stats: () => writer.call("stats", null),
    expire,
    checkpoint: () => writer.call("checkpoint", null),
    async sealed() {
      while (job !== null) await job;
    },
    async close() {
      if (closing) return;
      cancelAge();
      cancelRetention();
      await queue.idle();
      closing = true;
      await reader.close();
      await writer.close();
    },
  };
}
