import assert from "node:assert/strict";
import { copyFileSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Layout, Micros, SeriesCommit } from "@penstock/model";
import { openSqlite } from "@penstock/runtime";
import { createBlockReader } from "./block-reader.ts";
import { createGroupQueue } from "./group-queue.ts";
import { createLayouts } from "./layouts.ts";
import { readAllReadings, type StoredReading } from "./read-all-readings.ts";
import { prepareSchema, seriesPageBytes } from "./schema.ts";
import { createSealer } from "./seal-job.ts";
import { boot, epoch, fill, layoutOf, lines, node, openStore, temporaryFolder, tenant } from "./store-fixture.ts";
import { createSweeper } from "./sweeper.ts";
import { createGroupWriter } from "./write-group.ts";

const who = { tenant, node, epoch, boot };
const atOnce = { isOver: () => false, next: async () => {} };
const everything = { from: 0, to: 10_000 };

/** Opens the file as a start does, and writes in this thread: a worker for each start would cost most of the time. */
function openFile(folder: string) {
  const path = join(folder, "series.db");
  const db = openSqlite({ path, pageBytes: seriesPageBytes });
  prepareSchema(db, path);
  const idsOf = (layout: number) =>
    Float64Array.from(db.prepare("SELECT id FROM hot WHERE layout = ? ORDER BY id").all(layout), (r) => Number(r.id));
  const groups = createGroupWriter(db);
  const queue = createGroupQueue(async (group) => groups.group(group));
  async function fillWith(layouts: readonly Layout[], ticks: number, seed: number): Promise<StoredReading[]> {
    const target = {
      defineLayout: async (_: unknown, { device, properties }: Layout) =>
        groups.defineLayout({ tenant, device, properties }),
      commit: async (commit: SeriesCommit) => void (await queue.commit(commit)),
    };
    return await fill(target, await queue.open(who), { layouts, ticks, seed });
  }
  return {
    db,
    idsOf,
    fillWith,
    seal: createSealer({ db, layouts: createLayouts(db) }),
    sweep: createSweeper(db),
    rows: () => numberOf(db, "SELECT count(*) AS n FROM hot"),
  };
}
function numberOf(db: ReturnType<typeof openSqlite>, sql: string): number {
  return Number(db.prepare(sql).get()!.n);
}
function copyOf(folder: string): string {
  const copy = temporaryFolder();
  for (const file of ["series.db", "series.db-wal"]) {
    if (existsSync(join(folder, file))) copyFileSync(join(folder, file), join(copy, file));
  }
  return copy;
}

// The promise: between the mark and the last slice of a sweep the machine may stop anywhere, and every reading is there once.
test("a sweep cut between any two slices leaves every reading exactly once, for the next start too", async () => {
  const folder = temporaryFolder();
  const { db, fillWith, idsOf, seal, sweep, rows } = openFile(folder);
  const readings = await fillWith([layoutOf("d1"), layoutOf("d2", ["float64"])], 100, 6);
  const ids = idsOf(1);
  await seal({ layout: 1, ids }, atOnce);
  const copies: string[] = [];
  await sweep({ from: 0, to: 256 }, { isOver: () => true, next: async () => void copies.push(copyOf(folder)) });
  copies.push(copyOf(folder));
  assert.equal(rows(), idsOf(2).length, "all that is sealed is gone, all that is live stays");
  db.close();

  const left = new Set<number>();
  for (const copy of copies) {
    assert.deepEqual(lines(readAllReadings(copy)), lines(readings));
    const opened = openFile(copy);
    left.add(opened.rows());
    // Ids that a reader listed before the block was shown: the block is in sight, so their rows must not be.
    const reader = createBlockReader(opened.db);
    const layout = createLayouts(opened.db).get(1);
    assert.equal(reader.hot(layout, 0, ids).count, 0);
    assert.equal([...reader.newest(1)].length, 1);
    opened.db.close();
  }
  assert.ok(left.size > 5, "some were cut in the middle");
});

// A batch with an id at or below its layout's mark would be hidden: acknowledged and lost.
test("a restart never gives a hot id again, neither between mark and sweep nor after it", async () => {
  const layouts = [layoutOf("d1", ["float64"]), layoutOf("d2", ["float64"])];
  for (const isSwept of [false, true]) {
    const folder = temporaryFolder();
    const first = openFile(folder);
    const readings = await first.fillWith(layouts, 50, 6);
    const last = Math.max(...first.idsOf(1), ...first.idsOf(2));
    for (const layout of [1, 2]) await first.seal({ layout, ids: first.idsOf(layout) }, atOnce);
    if (isSwept) await first.sweep(everything, atOnce);
    assert.equal(first.rows() === 0, isSwept);
    first.db.close();

    const second = openFile(folder);
    readings.push(...(await second.fillWith(layouts, 20, 7)));
    assert.equal(numberOf(second.db, "SELECT max(id) - count(*) AS n FROM hot"), isSwept ? last : 0);
    second.db.close();
    assert.deepEqual(lines(readAllReadings(folder)), lines(readings));
  }
});

test("a store counts what a start found sealed, sweeps as it seals, and keeps nothing sealed past expire()", async () => {
  const folder = temporaryFolder();
  const { db, fillWith, idsOf, seal, rows } = openFile(folder);
  const layouts = [layoutOf("d1", ["bool"]), layoutOf("d2", ["bool"])];
  const readings = await fillWith(layouts, 400, 7);
  await seal({ layout: 1, ids: idsOf(1) }, atOnce);
  const found = rows();
  const live = idsOf(2).length;

  const store = await openStore(folder);
  assert.deepEqual(await store.stats().then((s) => [s.readings, s.hotBatches]), [readings.length, live]);
  assert.equal(rows(), found, "a start waits for no sweep");
  readings.push(...(await fill(store, await store.openSource(who), { layouts, ticks: 800, seed: 8 })));
  await store.sealed();
  const { hotBatches } = await store.stats();
  assert.ok(hotBatches < 400, `${hotBatches} live: both layouts were sealed, of which one began with sealed batches`);
  assert.ok(rows() <= 3 * hotBatches, `${rows()} rows, ${hotBatches} live`);
  await store.expire(tenant, 0 as Micros);
  assert.equal(rows(), hotBatches);
  await store.close();
  db.close();
  assert.deepEqual(lines(readAllReadings(folder)), lines(readings));
});

test("sealing refuses ids that are sealed already or do not ascend, and changes nothing", async () => {
  const folder = temporaryFolder();
  const { db, fillWith, idsOf, seal } = openFile(folder);
  const readings = await fillWith([layoutOf("d1", ["float64"])], 30, 6);
  const ids = idsOf(1);
  await assert.rejects(seal({ layout: 1, ids: ids.toReversed() }, atOnce), { code: "internal" });
  await seal({ layout: 1, ids: ids.subarray(0, 20) }, atOnce);
  await assert.rejects(seal({ layout: 1, ids: ids.subarray(19) }, atOnce), { code: "internal" });
  db.close();
  assert.deepEqual(lines(readAllReadings(folder)), lines(readings));
});

// Sealed batches of one device lie among those of all others: taking them out one by one wrote a page for each of them.
test("sealing and sweeping small devices write far fewer pages than there are batches", async () => {
  const layouts = Array.from({ length: 60 }, (_, i) => layoutOf(`d${i}`, ["float64", "float64", "float64"]));
  const folder = temporaryFolder();
  const { db, fillWith, idsOf, seal, sweep } = openFile(folder);
  await fillWith(layouts, 2, 6);
  // More of the same, straight into the table.
  const copy = db.prepare(
    "INSERT INTO hot SELECT id + ?, layout, source, first_seq, count, t_min, t_max, body FROM hot WHERE id <= ?",
  );
  const last = numberOf(db, "SELECT max(id) AS n FROM hot");
  for (let times = 1; times < 60; times++) copy.run(times * last, last);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0");
  const pages = () => Math.floor(statSync(join(folder, "series.db-wal")).size / seriesPageBytes);
  await seal({ layout: 1, ids: idsOf(1) }, atOnce);
  const sealing = pages();
  assert.ok(sealing > 0 && sealing < 20, `${sealing} pages for one block`);
  for (let layout = 2; layout <= layouts.length; layout++) await seal({ layout, ids: idsOf(layout) }, atOnce);
  const before = pages();
  const inTable = numberOf(db, "SELECT sum(length(body)) / 10000 AS n FROM hot");
  await sweep(everything, atOnce);
  assert.ok(pages() - before < 2 * inTable + 10, `${pages() - before} pages swept, about ${inTable} in the table`);
  db.close();
});
