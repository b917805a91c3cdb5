import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { DeviceUid, Micros } from "@penstock/model";
import type { AgentToMapper } from "@penstock/wire";
import { setUpCollect } from "./test/collect-fixture.ts";
import { assigned, device, property } from "./test/test-set.ts";

const level = property("level", { collect: { subscribe: true } });
const press = "press" as DeviceUid;

function setUp(t: TestContext, more: Parameters<typeof setUpCollect>[1] = {}) {
  const made = setUpCollect(t, more);
  const heard = (kind: AgentToMapper["t"]) => made.processes.last.heard.filter((message) => message.t === kind);
  const group = () => [...made.processes.last.groups.values()][0]!;
  const counter = (name: string, labels = {}) => made.metrics.counter(`penstock_collect_${name}`, "test", labels).value;
  const start = async () => {
    made.collect.apply(assigned([device("press", [level])]));
    await made.clock.advanceAsync(2000);
  };
  return { ...made, heard, group, counter, start };
}
const shown = (readings: { property: string; value: unknown; quality: string; reason: string | null }[]) =>
  readings.map(({ property: name, value, quality, reason }) => [name, value, quality, reason]);

test("collect subscribes once, publishes each change in order and takes each message of news", async (t) => {
  const { clock, processes, collect, heard, group, taken, start, counter } = setUp(t);
  await start();
  assert.equal(heard("subscribe").length, 1);
  assert.deepEqual([heard("read").length, collect.cycles(() => null).length], [0, 0]);
  assert.deepEqual(collect.devices(), [{ device: press, state: "online", reason: null, message: null }]);
  for (const value of [1.5, 2.5, 3.5]) processes.last.news(group(), [{ property: "level", value }]);
  await clock.advanceAsync(10);
  assert.deepEqual(
    taken().map(({ value }) => value),
    [1.5, 2.5, 3.5],
  );
  assert.equal(heard("taken").length, 3);
  await clock.advanceAsync(600_000);
  assert.deepEqual([heard("subscribe").length, taken().length, counter("overruns_total")], [1, 0, 0]);
});

test("collect: news wait in the mapper while the bus has no room", async (t) => {
  let release = () => {};
  const full = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { clock, processes, heard, group, batches, start } = setUp(t, { take: () => full });
  await start();
  for (let i = 0; i < 5; i++) processes.last.news(group(), [{ property: "level", value: i }]);
  await clock.advanceAsync(1000);
  const before = heard("taken").length;
  assert.ok(before < 5 && batches.length < 5, `${before} taken, ${batches.length} published`);
  release();
  await clock.advanceAsync(10);
  assert.equal(heard("taken").length, 5);
});

test("collect: a subscription that ends makes the values bad with its reason, and is asked for again until it stands", async (t) => {
  const { clock, processes, collect, heard, group, taken, start } = setUp(t);
  await start();
  let refusals = 3;
  processes.last.answer = (ask) => {
    if (ask.t !== "subscribe" || refusals-- <= 0) return false;
    processes.last.say({ t: "failed", id: ask.id, code: "mapper/connect-failed", message: "Nobody listens" });
    return true;
  };
  const lost = { code: "mapper/connection-lost", message: "Cut" } as const;
  processes.last.say({ t: "unsubscribed", group: group().group, ...lost });
  await clock.advanceAsync(5);
  assert.deepEqual(shown(taken()), [["level", null, "bad", "mapper/connection-lost"]]);
  await clock.advanceAsync(10_000);
  assert.equal(collect.devices()[0]?.state, "offline");
  assert.ok(taken().every(({ quality, reason }) => quality === "bad" && reason === "mapper/connect-failed"));
  await clock.advanceAsync(120_000);
  assert.equal(heard("subscribe").length, 5);
  assert.equal(collect.devices()[0]?.state, "online");
  processes.last.news(group(), [{ property: "level", value: 9 }]);
  await clock.advanceAsync(5);
  assert.deepEqual(shown(taken()).at(-1), ["level", 9, "good", null]);
});

test("collect: what the device refuses for good is asked again ever more seldom", async (t) => {
  const { clock, processes, heard, start } = setUp(t);
  await start();
  processes.last.answer = (ask) => {
    if (ask.t !== "subscribe") return false;
    processes.last.say({ t: "failed", id: ask.id, code: "mapper/bad-address", message: "No such node" });
    return true;
  };
  const [group] = processes.last.groups.keys();
  processes.last.say({ t: "unsubscribed", group: group!, code: "mapper/bad-address", message: "No such node" });
  await clock.advanceAsync(3_600_000);
  const asked = heard("subscribe").length;
  assert.ok(asked > 10 && asked < 130, `${asked} times in an hour`);
});

test("collect: a killed mapper's devices read bad, and its next process is asked to subscribe", async (t) => {
  const { clock, processes, heard, taken, start } = setUp(t);
  await start();
  taken();
  processes.last.die(null, "SIGKILL");
  await clock.advanceAsync(10);
  assert.deepEqual(shown(taken()), [["level", null, "bad", "mapper/stopped"]]);
  await clock.advanceAsync(30_000);
  assert.equal(processes.started.length, 2);
  assert.equal(heard("subscribe").length, 1);
});

test("collect: a device that is said to be gone is offline at once, and online with its next value", async (t) => {
  const { clock, processes, collect, group, heard, start } = setUp(t);
  await start();
  const gone = { property: "level", value: null, quality: "bad", reason: "mapper/device-offline" } as const;
  processes.last.news(group(), [gone]);
  await clock.advanceAsync(5);
  assert.deepEqual([collect.devices()[0]?.state, collect.devices()[0]?.reason], ["offline", "mapper/device-offline"]);
  await clock.advanceAsync(60_000);
  assert.deepEqual([collect.devices()[0]?.state, heard("subscribe").length], ["offline", 1]);
  processes.last.news(group(), [{ property: "level", value: 1 }]);
  await clock.advanceAsync(5);
  assert.equal(collect.devices()[0]?.state, "online");
});

test("collect keeps the device's own times, and dates by arrival what cannot be", async (t) => {
  const { clock, processes, group, taken, start } = setUp(t);
  await start();
  const now = clock.now();
  for (const time of [now - 1_800_000_000, now + 3_600_000_000, 5] as Micros[]) {
    processes.last.news(group(), [{ property: "level", value: 1, time }], true);
  }
  await clock.advanceAsync(10);
  const [queued, ahead, ancient] = taken();
  assert.deepEqual([queued!.time, queued!.quality], [now - 1_800_000_000, "good"]);
  for (const off of [ahead!, ancient!]) {
    assert.deepEqual([off.value, off.quality, off.reason], [1, "uncertain", "mapper/bad-time"]);
    assert.ok(Math.abs(off.time - now) < 1_000_000);
  }
});

test("collect: news that are none are passed over, and of a group that is not the mapper's nothing is heard", async (t) => {
  const { clock, processes, group, taken, start, heard } = setUp(t);
  await start();
  taken();
  processes.last.say({ t: "news", group: group().group, body: new Uint8Array([1, 2]), isWall: false, dropped: 0 });
  processes.last.say({ t: "news", group: 999, body: new Uint8Array(), isWall: false, dropped: 0 });
  const time = (clock.monotonic() - 60_000_000) as Micros;
  processes.last.news(group(), [{ property: "level", value: 1, time }]);
  await clock.advanceAsync(10);
  assert.deepEqual(taken(), []);
  assert.equal(heard("taken").length, 2, "the mapper may go on");
});

test("collect ends the subscription of a device that is gone from the set, and begins that of an edited one anew", async (t) => {
  const { clock, collect, heard, start } = setUp(t);
  await start();
  collect.apply(assigned([device("press", [{ ...level, unit: "mm" }])]));
  await clock.advanceAsync(2000);
  assert.deepEqual([heard("ungroup").length, heard("subscribe").length], [1, 2]);
  collect.apply(assigned([]));
  assert.equal(heard("ungroup").length, 2);
  await clock.advanceAsync(10);
});

test("collect counts the changes that a device's own queue has lost, and passes the reason on", async (t) => {
  const { clock, processes, group, taken, start, counter } = setUp(t);
  await start();
  const lost = { property: "level", quality: "uncertain", reason: "mapper/changes-lost" } as const;
  for (const value of [1, 2]) processes.last.news(group(), [{ ...lost, value }]);
  processes.last.news(group(), [{ property: "level", value: 3 }]);
  await clock.advanceAsync(10);
  assert.deepEqual(shown(taken()), [
    ["level", 1, "uncertain", "mapper/changes-lost"],
    ["level", 2, "uncertain", "mapper/changes-lost"],
    ["level", 3, "good", null],
  ]);
  assert.equal(counter("changes_lost_total"), 2);
});
