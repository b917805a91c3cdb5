import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimRandom, settle, simDisk } from "@penstock/testkit";
import { keptFeed } from "./kept-feed.ts";
import type { RuleFeed } from "./rule-feed.ts";
import { batchOf, device, ruleOf, SlowClock } from "./state/state-fixture.ts";

const filter = "SELECT a FROM d WHERE a > 1";
const lag = "SELECT a, lag(a) AS before FROM d";

async function gateway({ lookMicros = 0 } = {}) {
  const disk = simDisk({ random: new SimRandom(1) });
  const clock = new SlowClock({ lookMicros });
  const out: string[] = [];
  const live = async (rules: Readonly<Record<string, string>>) => {
    disk.kill();
    const feed = await keptFeed({
      ...{ files: disk.files, folder: "/data/rules/state", clock, log: silentLog, metrics: metricsRegistry() },
    });
    for (const [id, sql] of Object.entries(rules)) begin(feed, id, sql);
    await feed.replay();
    return feed;
  };
  const begin = (feed: RuleFeed, id: string, sql: string) => {
    const rule = ruleOf(id, sql, (of, number, rows) => feed.emit(async () => void out.push(`${of} ${number} ${rows}`)));
    feed.begin(Object.assign(rule, { hasState: sql === lag }));
  };
  const drain = async () => {
    for (let turns = 0; turns < 20; turns++) await settle();
  };
  return { disk, clock, out, live, begin, drain };
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

test("a rule that gets and loses state while it runs sees each input once, and no number stands for two outputs", async () => {
  const { clock, out, live, begin, drain } = await gateway();
  const feed = await live({ r: filter, other: lag });
  for (const [at, sql] of [filter, lag, lag, filter, lag, filter].entries()) {
    if (at > 0) begin(feed, "r", sql);
    clock.advance(10);
    await feed.take({ t: "batch", batch: batchOf(10 + at) });
    await drain();
  }
  const ofRule = out.filter((line) => line.startsWith("r "));
  assert.deepEqual(
    ofRule.map((line) => /"a":(\d+)/.exec(line)![1]),
    ["10", "11", "12", "13", "14", "15"],
  );
  // What it remembers goes over from one with state to the next, and ends with one that has none.
  assert.deepEqual(
    ofRule.flatMap((line) => /"before":(\w+)/.exec(line)?.[1] ?? []),
    ["null", "11", "null"],
  );
  assert.equal(new Set(ofRule.map((line) => line.split(" ")[1])).size, 6);
  clock.advance(1000);
  const again = await live({ r: lag, other: lag });
  await again.take({ t: "batch", batch: batchOf(20) });
  await drain();
  const [, number] = out.at(-2)!.split(" ");
  assert.match(out.at(-2)!, /^r .*"a":20,"before":null/);
  assert.ok(!ofRule.some((line) => line.split(" ")[1] === number), `${number} again`);
});

test("a rule that gets state while others have their turns is not given the input of before as another would", async () => {
  const { clock, out, live, begin, drain } = await gateway({ lookMicros: 4000 });
  const feed = await live({ a: filter, r: filter, b: filter, k: lag, l: lag });
  const taken = feed.take({ t: "batch", batch: batchOf(10) });
  assert.ok(taken instanceof Promise, "whoever feeds waits for both kinds of rules");
  assert.equal(out.length, 1);
  begin(feed, "r", lag);
  let isDone = false;
  void taken.then(() => {
    isDone = true;
  });
  const rest = async () => {
    for (let turn = 0; turn < 20 && !isDone; turn++) {
      await clock.advanceAsync(1);
      await drain();
    }
    assert.ok(isDone);
  };
  await rest();
  assert.deepEqual(out.map((line) => line[0]).sort(), ["a", "b", "k", "l"]);
  isDone = false;
  void Promise.resolve(feed.take({ t: "batch", batch: batchOf(11) })).then(() => {
    isDone = true;
  });
  await rest();
  assert.deepEqual(
    out
      .slice(4)
      .map((line) => line[0])
      .sort(),
    ["a", "b", "k", "l", "r"],
  );
  assert.match(out.find((line) => line.startsWith("r"))!, /"a":11,"before":null/);
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
