import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeviceUid } from "@penstock/model";
import fc from "fast-check";
import { phaseOf } from "./phase.ts";
import { bus, ms, type Simulated, simulate, slotMs } from "./test/simulate-line.ts";

const up = { state: "up" } as const;
const down = { state: "down", code: "mapper/stopped", message: "exit code 1" } as const;

test("Schedule: a fifth of the slaves dead, and those that answer miss no cycle", () => {
  const groups: Simulated[] = [];
  for (let i = 0; i < 24; i++) groups.push({ device: `alive-${i}`, everyMs: 2000, tookMs: 20 });
  for (let i = 0; i < 6; i++) groups.push({ device: `dead-${i}`, everyMs: 2000, tookMs: 20, isSilent: true });
  const sim = simulate(groups);
  sim.line(up);
  // The first minute finds out who is there.
  sim.runTo(60_000);
  const overruns = () => groups.slice(0, 24).flatMap((_, group) => sim.of("overrun", group, 60_000));
  sim.runTo(600_000);
  assert.deepEqual(overruns(), []);
  for (let group = 24; group < 30; group++) {
    assert.ok(sim.of("read", group, 60_000).length >= 10, "each is asked whether it is back");
    assert.ok(sim.of("publish-bad", group, 60_000).length >= 240, "and has its bad rows meanwhile");
  }
  groups[27]!.isSilent = false;
  sim.runTo(660_000);
  assert.equal(sim.health("dead-3").state, "online");
});

test("Schedule: silent devices together get a fifth of a line's time, however many there are", () => {
  const cases = fc.record({ alive: fc.integer({ min: 1, max: 6 }), dead: fc.integer({ min: 1, max: 40 }) });
  fc.assert(
    fc.property(cases, ({ alive, dead }) => {
      const groups: Simulated[] = [];
      for (let i = 0; i < alive; i++) groups.push({ device: `alive-${i}`, everyMs: 1000, tookMs: 5 });
      for (let i = 0; i < dead; i++) groups.push({ device: `dead-${i}`, everyMs: 1000, tookMs: 5, isSilent: true });
      const sim = simulate(groups);
      sim.line(up);
      sim.runTo(400_000);
      const probes = groups.flatMap((_, group) => (group < alive ? [] : sim.of("read", group, 200_000)));
      assert.ok(probes.length * slotMs <= 200_000 / 5 + slotMs, `${probes.length} probes in 200 s`);
    }),
    { numRuns: 12 },
  );
});

test("Schedule: no group that answers waits longer than (S + T) / 0.8, whatever else is on its line", () => {
  const device = fc.record({ everyMs: fc.constantFrom(1000, 2000, 5000), tookMs: fc.integer({ min: 1, max: 60 }) });
  const cases = fc.record({
    alive: fc.array(device, { minLength: 1, maxLength: 10 }),
    dead: fc.integer({ min: 0, max: 5 }),
    collection: fc.constantFrom("sync" as const, "async" as const),
  });
  fc.assert(
    fc.property(cases, ({ alive, dead, collection }) => {
      const groups: Simulated[] = alive.map((group, i) => ({ device: `alive-${i}`, ...group }));
      for (let i = 0; i < dead; i++) groups.push({ device: `dead-${i}`, everyMs: 1000, tookMs: 5, isSilent: true });
      const sim = simulate(groups, { collection, timeoutMs: 300 });
      sim.line(up);
      sim.runTo(120_000);
      const roundMs = alive.reduce((sum, { tookMs }) => sum + tookMs, 0);
      const boundMs = (300 + roundMs) / 0.8;
      alive.forEach(({ everyMs }, group) => {
        for (const { at } of sim.of("read", group, 60_000)) {
          const waitedUs = (at - phaseOf(`alive-${group}`, everyMs * ms)) % (everyMs * ms);
          assert.ok(waitedUs <= boundMs * ms, `waited ${waitedUs / ms} ms, bound ${boundMs}`);
        }
      });
    }),
    { numRuns: 30 },
  );
});

test("Schedule spreads groups of one cycle time over it", () => {
  const uid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString("hex"));
  fc.assert(
    fc.property(
      fc.uniqueArray(uid, { minLength: 200, maxLength: 200 }),
      fc.constantFrom(100, 1000, 60_000),
      (uids, every) => {
        const tenths = new Array<number>(10).fill(0);
        for (const one of uids) tenths[Math.floor((phaseOf(one, every * ms) / (every * ms)) * 10)]! += 1;
        // 20 each on average; six standard deviations.
        assert.ok(Math.max(...tenths) < 46, `${tenths}`);
      },
    ),
    { numRuns: 50 },
  );
});

test("Schedule: collection sync asks one device after the other", () => {
  const devices = ["a", "b", "c", "d"];
  const slow = (): Simulated[] => devices.map((device) => ({ device, everyMs: 100, tookMs: 30 }));
  // The simulation itself refuses a second one in flight.
  const sync = simulate(slow(), { collection: "sync" });
  sync.line(up);
  sync.runTo(20_000);
  const counts = devices.map((_, group) => sync.of("read", group, 2000).length);
  assert.ok(Math.min(...counts) > 0.9 * Math.max(...counts) && Math.min(...counts) > 100, `${counts}`);
});

test("Schedule: writes and reads of a line take turns, so that a flood of either leaves the other its half", () => {
  const groups: Simulated[] = ["a", "b"].map((device) => ({ device, everyMs: 100, tookMs: 40 }));
  const sim = simulate(groups, { collection: "sync" });
  sim.line(up);
  sim.runTo(2000);
  const acts = Array.from({ length: 100 }, () => sim.act("a", 40));
  sim.runTo(6000);
  const reads = [0, 1].flatMap((group) => sim.of("read", group, 2000).filter(({ at }) => at < 6000 * ms)).length;
  const done = acts.filter((act) => sim.actedAt(act) < 6000 * ms).length;
  assert.ok(Math.abs(reads - done) <= 4 && reads >= 45, `${reads} reads, ${done} acts`);

  const wide = simulate(groups);
  wide.line(up);
  wide.runTo(2000);
  for (let i = 0; i < 100; i++) wide.act("b", 20);
  wide.runTo(4000);
  for (const group of [0, 1]) assert.ok(wide.of("read", group, 2000).length >= 8, "async: reads go on");
});

test("Schedule: what is written to a silent device runs alone, and at once when its line is down or the device gone", () => {
  const groups: Simulated[] = [
    { device: "dead", everyMs: 1000, tookMs: 5 },
    { device: "a", everyMs: 1000, tookMs: 5 },
  ];
  const sim = simulate(groups);
  sim.line(up);
  sim.runTo(3000);
  groups[0]!.isSilent = true;
  sim.runTo(10_000);
  assert.equal(sim.health("dead").state, "offline");
  const first = sim.act("dead", 5, true);
  sim.runTo(30_000);
  assert.ok(sim.actedAt(first) < 16_000 * ms);
  const during = sim.of("read", 1).filter(({ at }) => at > sim.actedAt(first) && at < sim.actedAt(first) + slotMs * ms);
  assert.deepEqual(during, [], "nothing beside it");
  const works = sim.act("dead", 5);
  sim.runTo(36_000);
  assert.ok(sim.actedAt(works) < 36_000 * ms);
  assert.equal(sim.health("dead").state, "online", "it has taken a value, so it is there");

  const [waits, gone] = [sim.act("dead", 2000), sim.act("a", 5)];
  for (let i = 0; i < 8; i++) sim.act("a", 500);
  const last = sim.act("a", 5);
  assert.equal(sim.actedAt(last), Number.POSITIVE_INFINITY);
  sim.line(down);
  for (const act of [waits, gone, last]) assert.ok(sim.actedAt(act) <= 36_000 * ms);
  const unknown = sim.act("nobody", 1);
  assert.equal(sim.actedAt(unknown), 36_000 * ms);
});

test("Schedule: an act that is not wanted any more leaves the queue", () => {
  const sim = simulate([{ device: "a", everyMs: 1000, tookMs: 5 }], { collection: "sync" });
  sim.line(up);
  sim.runTo(3000);
  sim.act("a", 500);
  const second = sim.act("a", 5);
  sim.schedule.step({ t: "acted", act: second, code: "aborted" }, 3100 * ms);
  sim.runTo(10_000);
  assert.equal(sim.actedAt(second), Number.POSITIVE_INFINITY);
  assert.ok(sim.of("read", 0, 4000).length >= 5);
});

test("Schedule: a silent device is asked again by its line's back-off", () => {
  const groups: Simulated[] = [{ device: "a", everyMs: 60_000, tookMs: 5, isSilent: true }];
  const sim = simulate(groups, { timeoutMs: 100, backOffFirstMs: 200, backOffLongestMs: 1000 });
  sim.line(up);
  sim.runTo(8000);
  const starts = sim.of("read", 0).map(({ at }) => at / ms);
  const pauses = starts.slice(1).map((at, i) => Math.round(at - starts[i]! - 100));
  assert.deepEqual(pauses.slice(0, 6), [200, 400, 800, 1000, 1000, 1000]);
});

test("Schedule: offline comes so long after the last answer as the device says, with the reason of the last failure", () => {
  const groups: Simulated[] = [
    { device: "fast", everyMs: 1000, tookMs: 5, offlineAfterMs: 20_000 },
    { device: "slow", everyMs: 3_600_000, tookMs: 5, offlineAfterMs: 5000 },
    { device: "never", everyMs: null, tookMs: 5, offlineAfterMs: 7000 },
  ];
  const sim = simulate(groups);
  sim.line(up);
  sim.runTo(4000);
  assert.deepEqual(
    ["fast", "slow", "never"].map((device) => sim.health(device).state),
    ["online", "online", "unknown"],
  );
  groups[0]!.isSilent = true;
  const changes = () =>
    sim.log.flatMap(({ at, effect }) =>
      effect.t === "health" && effect.health.state === "offline"
        ? [[effect.health.device, at / ms, effect.health] as const]
        : [],
    );
  sim.runTo(40_000);
  const offline = new Map(changes().map(([device, at, { reason }]) => [device as string, { at, reason }]));
  assert.equal(offline.get("fast")?.reason, "mapper/timeout");
  const atFast = offline.get("fast")!.at;
  assert.ok(atFast >= 23_000 && atFast <= 24_100, `${atFast}`);
  assert.ok(offline.get("slow")!.at >= 5000 && offline.get("slow")!.at <= 5600, "though it is asked once an hour");
  assert.equal(offline.get("never")!.at, 7000);
  groups[0]!.isSilent = false;
  sim.due(2);
  sim.runTo(80_000);
  assert.equal(sim.health("fast").state, "online");
  assert.equal(sim.of("read", 2).length, 1);
  sim.line(down);
  assert.deepEqual([sim.health("fast").state, sim.health("fast").reason], ["offline", "mapper/stopped"]);
});

test("Schedule: without a time of its own a device is offline within a cycle, two slots and the first back-off", () => {
  const groups: Simulated[] = [{ device: "a", everyMs: 1000, tookMs: 5 }];
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2000 }), (afterMs) => {
      groups[0]!.isSilent = false;
      const sim = simulate(groups);
      sim.line(up);
      sim.runTo(3000 + afterMs);
      groups[0]!.isSilent = true;
      sim.runTo(3000 + afterMs + 1000 + 2 * slotMs + 1000 + 1);
      assert.deepEqual([sim.health("a").state, sim.health("a").reason], ["offline", "mapper/timeout"]);
    }),
    { numRuns: 50 },
  );
});

test("Schedule.lines() says of each line whether it is up, and why not", () => {
  const sim = simulate([{ device: "a", everyMs: 1000, tookMs: 5 }]);
  const state = () => sim.schedule.lines().map(({ state, reason }) => [state, reason]);
  assert.deepEqual(state(), [["waiting", null]]);
  sim.line(up);
  assert.deepEqual(state(), [["up", null]]);
  const lost = { code: "mapper/connection-lost", message: "reset" } as const;
  sim.schedule.step({ t: "connection", connection: bus, lost }, ms);
  assert.deepEqual(state(), [["down", "mapper/connection-lost"]]);
  sim.line(down);
  assert.deepEqual(state(), [["down", "mapper/stopped"]]);
  sim.schedule.step({ t: "remove-device", device: "a" as DeviceUid }, ms);
  sim.schedule.step({ t: "remove-line", connection: bus }, ms);
  assert.deepEqual(state(), []);
});
