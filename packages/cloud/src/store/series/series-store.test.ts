import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { Micros, NodeUid, SeriesQuery, TenantUid } from "@penstock/model";
import { readAllReadings, type StoredReading } from "./read-all-readings.ts";
import {
  boot,
  epoch,
  fill,
  layoutOf,
  lines,
  node,
  openStore,
  startTime,
  temporaryFolder,
  tenant,
} from "./store-fixture.ts";

const all = { from: 0 as Micros, to: (2 ** 52) as Micros };
const who = { tenant, node, epoch, boot };

function bySeries(readings: readonly StoredReading[]): Map<string, StoredReading[]> {
  const series = Map.groupBy(readings, (r) => `${r.device}/${r.property}`);
  for (const list of series.values()) list.sort((a, b) => a.time - b.time || a.seq - b.seq);
  return series;
}

test("a store with hot and sealed batches of every type reads back what was committed, sorted by time and seq", async () => {
  const folder = temporaryFolder();
  const store = await openStore(folder);
  const source = await store.openSource(who);
  // Two layouts of one device: it was edited. Both are past their first sealing, with a hot rest.
  const edited = layoutOf("d1", ["float64", "int64", "string"]);
  const readings = await fill(store, source, { layouts: [layoutOf("d1"), edited], ticks: 760, seed: 1 });
  await store.sealed();
  const stats = await store.stats();
  assert.ok(stats.chunks > 0 && stats.hotBatches > 0, JSON.stringify(stats));
  assert.equal(stats.readings, readings.length);
  assert.equal(stats.series, bySeries(readings).size);

  assert.deepEqual(lines(readAllReadings(folder)), lines(readings));
  for (const expected of bySeries(readings).values()) {
    const { device, property } = expected[0]!;
    const query: SeriesQuery = { tenant, device, property, ...all, points: 100_000, aggregate: "raw" };
    const result = await store.query(query);
    const plain = ({ time, value, quality, reason }: StoredReading) => ({ time, value, quality, reason });
    assert.deepEqual(result.points, expected.map(plain));
    // A page in the middle: the first 50 from there on, and word that there are more.
    const from = expected[300]!.time;
    const page = await store.query({ ...query, from, points: 50 });
    assert.deepEqual(
      page.points,
      expected
        .filter((r) => r.time >= from)
        .slice(0, 50)
        .map(plain),
    );
    assert.equal(page.truncated, true);
    const [latest] = await store.latest(tenant, [{ device, property }]);
    assert.deepEqual(plain(latest as StoredReading), plain(expected.at(-1)!));
  }
  await store.close();

  const again = await openStore(folder);
  assert.deepEqual((await again.openSource(who)).ranges, [[1, readings.length]]);
  assert.deepEqual(lines(readAllReadings(folder)), lines(readings));
  await again.close();
});

test("query() down-samples sealed and hot readings as a naive sum over the readings does", async () => {
  const folder = temporaryFolder();
  const store = await openStore(folder);
  const source = await store.openSource(who);
  const readings = await fill(store, source, {
    layouts: [layoutOf("d1", ["float64", "int64", "bool"])],
    ticks: 760,
    seed: 2,
  });
  await store.sealed();
  const from = (startTime - 50_000_000) as Micros;
  const to = (startTime + 800_000_000) as Micros;
  for (const points of [1, 7, 400]) {
    const width = (to - from) / points;
    for (const list of bySeries(readings).values()) {
      const { device, property } = list[0]!;
      const buckets = Map.groupBy(
        list.filter((r) => r.quality !== "bad"),
        (r) => Math.floor((r.time - from) / width),
      );
      for (const aggregate of ["mean", "sum", "count", "min", "max", "first", "last", "minmax"] as const) {
        const result = await store.query({ tenant, device, property, from, to, points, aggregate });
        const got = result.points.filter((p) => p.quality !== "bad");
        const numbers = (group: readonly StoredReading[]) => group.map((r) => Number(r.value));
        const sum = (group: readonly StoredReading[]) => numbers(group).reduce((a, b) => a + b, 0);
        const expected = [...buckets]
          .sort(([a], [b]) => a - b)
          .flatMap(([, group]): number[] => {
            switch (aggregate) {
              case "mean":
                return [sum(group) / group.length];
              case "sum":
                return [sum(group)];
              case "count":
                return [group.length];
              case "min":
                return [Math.min(...numbers(group))];
              case "max":
                return [Math.max(...numbers(group))];
              case "first":
                return [Number(group[0]!.value)];
              case "last":
                return [Number(group.at(-1)!.value)];
              default: {
                // By the values themselves: 64-bit integers do not fit into numbers. The first of equals counts.
                const low = group.reduce((a, b) => (b.value! < a.value! ? b : a));
                const high = group.reduce((a, b) => (b.value! > a.value! ? b : a));
                if (low === high) return numbers([low]);
                return numbers(group.indexOf(low) < group.indexOf(high) ? [low, high] : [high, low]);
              }
            }
          });
        // A count of nothing but bad readings is 0 and has no group here.
        const values = got.map((p) => Number(p.value)).filter((value) => aggregate !== "count" || value > 0);
        assert.equal(values.length, expected.length, `${property} ${aggregate} ${points}`);
        values.forEach((value, i) => {
          assert.ok(
            Math.abs(value - expected[i]!) <= 1e-9 * Math.max(1, Math.abs(expected[i]!)),
            `${property} ${aggregate} ${i}`,
          );
        });
      }
    }
  }
  const text = { tenant, device: "d1" as StoredReading["device"], property: "p0-float64", from, to, points: 0 };
  await assert.rejects(store.query({ ...text, aggregate: "mean" }), { code: "input/invalid" });
  await store.close();
});

test("commit() of an older session is fenced, and harms no other in its group", async () => {
  const folder = temporaryFolder();
  const store = await openStore(folder);
  const older = await store.openSource(who);
  const other = await store.openSource({ ...who, node: "n2" as NodeUid });
  const newer = await store.openSource({ ...who, epoch: "e2" as typeof epoch });
  assert.ok(newer.generation > older.generation);
  const commit = (source: typeof older, to: number) =>
    store.commit({ source: source.id, generation: source.generation, batches: [], ranges: [[1, to]] });
  const results = await Promise.allSettled([commit(other, 1), commit(older, 5), commit(newer, 7)]);
  assert.deepEqual(
    results.map((r) => r.status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  const back = await store.openSource(who);
  assert.deepEqual([back.ranges, back.nodeRanges, back.lastBoot], [[], [[1, 7]], null]);
  await store.close();
});

test("lastBoot is the boot of the last session that committed", async () => {
  const store = await openStore(temporaryFolder());
  const first = await store.openSource(who);
  await store.commit({ source: first.id, generation: first.generation, batches: [], ranges: [[1, 1]] });
  assert.equal((await store.openSource({ ...who, boot: "b2" as typeof boot })).lastBoot, boot);
  assert.equal((await store.openSource({ ...who, boot: "b3" as typeof boot })).lastBoot, boot);
  await store.close();
});

test("query() and latest() of another tenant find nothing", async () => {
  const store = await openStore(temporaryFolder());
  const source = await store.openSource(who);
  const [reading] = await fill(store, source, { layouts: [layoutOf("d1", ["float64"])], ticks: 5, seed: 3 });
  const { device, property } = reading!;
  const stranger = "t2" as TenantUid;
  const result = await store.query({ tenant: stranger, device, property, ...all, points: 10, aggregate: "raw" });
  assert.deepEqual(result, { type: null, points: [], truncated: false });
  assert.deepEqual(await store.latest(stranger, [{ device, property }]), []);
  await store.close();
});

test("expire() removes whole blocks and hot batches of one tenant, and the file shrinks", async () => {
  const folder = temporaryFolder();
  const store = await openStore(folder);
  const source = await store.openSource(who);
  const layouts = [layoutOf("d1"), layoutOf("d2")];
  const readings = await fill(store, source, { layouts, ticks: 760, seed: 4 });
  await store.sealed();
  await store.checkpoint();
  const before = statSync(join(folder, "series.db")).size;
  assert.equal(await store.expire("t2" as TenantUid, all.to), 0);
  const half = (startTime + 600_000_000) as Micros;
  const removed = await store.expire(tenant, half);
  const left = [...readAllReadings(folder)];
  assert.equal(left.length, readings.length - removed);
  assert.ok(removed > readings.length / 3);
  const kept = new Set(lines(left));
  for (const line of lines(readings.filter((r) => r.time >= half))) assert.ok(kept.has(line));
  assert.equal(await store.expire(tenant, all.to), left.length);
  assert.deepEqual([...readAllReadings(folder)], []);
  assert.equal((await store.stats()).readings, 0);
  await store.checkpoint();
  assert.ok(statSync(join(folder, "series.db")).size < before * 0.75);
  await store.close();
});

test("openSeriesStore() refuses a file of a newer version and names both", async () => {
  const folder = temporaryFolder();
  await (await openStore(folder)).close();
  const db = new DatabaseSync(join(folder, "series.db"));
  db.exec("PRAGMA user_version = 7");
  db.close();
  await assert.rejects(openStore(folder), { code: "data/newer-version", message: /format 7, this program knows 1/ });
});
