import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, SimRandom, settle, simDisk } from "@penstock/testkit";
import { keptFeed } from "./kept-feed.ts";
import { batchOf, device, ruleOf } from "./state/state-fixture.ts";

const filter = "SELECT a FROM d WHERE a > 1";
const lag = "SELECT a, lag(a) AS before FROM d";

async function gateway() {
  const disk = simDisk({ random: new SimRandom(1) });
  const clock = new SimClock();
  const out: string[] = [];
  const live = async (rules: Readonly<Record<string, string>>) => {
    disk.kill();
    const feed = await keptFeed({
      ...{ files: disk.files, folder: "/data/rules/state", clock, log: silentLog, metrics: metricsRegistry() },
    });
    for (const [id, sql] of Object.entries(rules)) {
      const rule = ruleOf(id, sql, (of, number, rows) =>
        feed.emit(async () => void out.push(`${of} ${number} ${rows}`)),
      );
      feed.begin(Object.assign(rule, { hasState: sql === lag }));
    }
    await feed.replay();
    return feed;
  };
  const drain = async () => {
    for (let turns = 0; turns < 20; turns++) await settle();
  };
  return { disk, clock, out, live, drain };
}

test("rules without state cost nothing of what the others are kept by: their results go at once, and no input is written", async () => {
  const { disk, out, live } = await gateway();
  const feed = await live({ f: filter });
  const before = disk.counts.get("append") ?? 0;
  for (const value of [1, 2, 3]) void feed.take({ t: "batch", batch: batchOf(value) });
  assert.equal(out.length, 2);
  await settle();
  assert.equal(disk.counts.get("append") ?? 0, before);
  assert.ok(feed.reads({ device }));
});

test("numbers of a rule without state only grow, over restarts and where it gets and loses state", async () => {
  const { clock, out, live, drain } = await gateway();
  for (const [at, sql] of [filter, filter, lag, filter, lag, lag].entries()) {
    clock.advance(1000);
    const feed = await live({ r: sql });
    await feed.take({ t: "batch", batch: batchOf(10 + at) });
    await drain();
  }
  const numbers = out.map((line) => Number(line.split(" ")[1]));
  assert.deepEqual(new Set(numbers).size, new Set(out).size, out.join("\n"));
  const first = new Map<number, string>();
  for (const [at, number] of numbers.entries()) assert.equal(first.get(number) ?? out[at], out[at]);
});

test("what people should know of what a rule remembers is told: that the disk refuses it, and that some was lost", async () => {
  const { disk, clock, live, drain } = await gateway();
  const feed = await live({ r: lag, f: filter });
  await feed.take({ t: "batch", batch: batchOf(1) });
  await drain();
  assert.deepEqual([feed.told("r"), feed.told("f")], [null, null]);
  disk.capacity = disk.used;
  await feed.take({ t: "batch", batch: batchOf(2) });
  await drain();
  assert.match(feed.told("r")!, /The disk refuses/);
  assert.equal(feed.told("f"), null);
  disk.capacity = Number.POSITIVE_INFINITY;
  clock.advance(1000);
  const again = await live({ r: lag, f: filter });
  assert.match(again.told("r")!, /does not come of every reading/);
});

test("where the folder cannot be opened every rule runs all the same, without a number twice", async () => {
  const { disk, clock, out } = await gateway();
  for (const value of [1, 2]) {
    clock.advance(1000);
    disk.kill();
    for (let n = 0; n < 4; n++) disk.failNext("syncFolder", "/data", "EIO");
    const feed = await keptFeed({
      ...{ files: disk.files, folder: "/data/rules/state", clock, log: silentLog, metrics: metricsRegistry() },
    });
    const rule = ruleOf(
      "r",
      lag,
      (of, number, rows) => void feed.emit(async () => void out.push(`${of} ${number} ${rows}`)),
    );
    feed.begin(Object.assign(rule, { hasState: true }));
    void feed.take({ t: "batch", batch: batchOf(value) });
  }
  assert.equal(new Set(out.map((line) => line.split(" ")[1])).size, 2);
});
