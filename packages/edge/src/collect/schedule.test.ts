import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeviceUid } from "@penstock/model";
import fc from "fast-check";
import { DueTimes } from "./due-times.ts";
import { nextDue, phaseOf } from "./phase.ts";
import { Schedule } from "./schedule.ts";
import { bus, ms, type Simulated, simulate, slotMs } from "./test/simulate-line.ts";

test("Schedule reads each group once per cycle on its own fixed phase", () => {
  const sim = simulate([
    { device: "press", everyMs: 1000, tookMs: 2 },
    { device: "oven", everyMs: 1000, tookMs: 2 },
    { device: "oven", everyMs: 250, tookMs: 2 },
  ]);
  sim.line({ state: "up" });
  sim.runTo(20_000);
  for (const [group, device] of [
    [0, "press"],
    [1, "oven"],
  ] as const) {
    const reads = sim.of("read", group, 2000);
    assert.equal(reads.length, 18);
    // A read may wait for the line, never run early.
    for (const { at } of reads) assert.ok((at - phaseOf(device, 1000 * ms)) % (1000 * ms) <= 10 * ms);
  }
  assert.equal(sim.of("read", 2, 2000).length, 72);
  assert.notEqual(phaseOf("press", 1000 * ms), phaseOf("oven", 1000 * ms));
  assert.deepEqual([0, 1, 2].flatMap((group) => sim.of("overrun", group)).length, 0);
});

test("Schedule reads an hourly group for the first time within half a second", () => {
  const sim = simulate([{ device: "meter", everyMs: 3_600_000, tookMs: 1 }]);
  sim.line({ state: "up" });
  sim.runTo(600);
  assert.equal(sim.of("read", 0).length, 1);
});

test("Schedule skips and counts cycles that are due while the former is in flight, without a burst afterwards", () => {
  const slow = simulate([{ device: "press", everyMs: 100, tookMs: 250 }]);
  slow.line({ state: "up" });
  slow.runTo(10_000);
  const reads = slow.of("read", 0);
  const skipped = slow
    .of("overrun", 0)
    .reduce((sum, { effect }) => sum + (effect.t === "overrun" ? effect.cycles : 0), 0);
  assert.ok(reads.every(({ at }, i) => i === 0 || at - reads[i - 1]!.at >= 250 * ms));
  assert.ok(Math.abs(reads.length + skipped - 100) <= 2, `${reads.length} read, ${skipped} skipped`);

  const stalled = simulate([{ device: "press", everyMs: 100, tookMs: 1 }]);
  stalled.line({ state: "up" });
  stalled.runTo(1000);
  stalled.stall(6000);
  const before = stalled.of("read", 0).length;
  stalled.runTo(6090);
  assert.ok(stalled.of("read", 0).length - before <= 1, "no catch-up");
  const missed = stalled.of("overrun", 0).map(({ effect }) => effect.t === "overrun" && effect.cycles);
  assert.ok(missed.length === 1 && Number(missed[0]) >= 48, `missed ${missed}`);
});

// On a busy machine a process may wait longer for its turn than a short cycle lasts; no value need be lost for that.
test("Schedule begins a cycle late rather than skip it when one answer takes longer than a cycle, and keeps its grid", () => {
  const groups: Simulated[] = [{ device: "press", everyMs: 100, tookMs: 2 }];
  const sim = simulate(groups);
  sim.line({ state: "up" });
  sim.runTo(5000);
  groups[0]!.tookMs = 150;
  sim.runTo(5000 + 100);
  groups[0]!.tookMs = 2;
  sim.runTo(10_000);
  assert.deepEqual(sim.of("overrun", 0), []);
  const reads = sim.of("read", 0, 1000);
  assert.equal(reads.length, 90);
  const late = reads.filter(({ at }) => (at - phaseOf("press", 100 * ms)) % (100 * ms) !== 0);
  assert.equal(late.length, 1, "the one that was due meanwhile; those after it are back on their grid");
});

test("Schedule: one dead device costs the others on its line one slot, is offline after two silences, and is probed", () => {
  const groups: Simulated[] = [
    { device: "dead", everyMs: 1000, tookMs: 5 },
    { device: "dead", everyMs: 500, tookMs: 5 },
    ...["a", "b", "c", "d"].map((device) => ({ device, everyMs: 2000, tookMs: 20 })),
  ];
  const sim = simulate(groups);
  sim.line({ state: "up" });
  sim.runTo(10_000);
  assert.equal(sim.health("dead").state, "online");
  groups[0]!.isSilent = groups[1]!.isSilent = true;
  sim.runTo(14_000);
  assert.deepEqual(
    [sim.health("dead").state, sim.health("dead").reason, sim.health("a").state],
    ["offline", "mapper/timeout", "online"],
  );
  sim.runTo(100_000);
  for (const group of [2, 3, 4, 5]) {
    assert.deepEqual(sim.of("overrun", group), [], "healthy devices miss no cycle");
    const reads = sim.of("read", group, 10_000);
    const gaps = reads.slice(1).map(({ at }, i) => at - reads[i]!.at);
    assert.ok(Math.max(...gaps) <= (2000 + slotMs + 200) * ms, `gap of ${Math.max(...gaps) / ms} ms`);
  }
  assert.ok(sim.of("read", 0, 14_000).length + sim.of("read", 1, 14_000).length <= 8, "probed with back-off");
  assert.ok(sim.of("publish-bad", 1, 14_000).length >= 165, "every cycle of a dead device has its bad rows");
  groups[0]!.isSilent = groups[1]!.isSilent = false;
  sim.runTo(131_500);
  assert.equal(sim.health("dead").state, "online");
});

test("Schedule: many dead devices do not stand before those that answer", () => {
  const groups: Simulated[] = ["a", "b"].map((device) => ({ device, everyMs: 5000, tookMs: 20 }));
  for (let i = 0; i < 20; i++) groups.push({ device: `dead-${i}`, everyMs: 1000, tookMs: 1, isSilent: true });
  const sim = simulate(groups);
  sim.line({ state: "up" });
  // The first reads find out who is there, one slot each.
  sim.runTo(60_000);
  const before = sim.of("overrun", 0).length;
  sim.runTo(300_000);
  assert.equal(sim.of("overrun", 0).length - before, 0);
  assert.ok(sim.of("read", 0, 60_000).length >= 47);
});

test("Schedule: a device that answers with an error is online and keeps its cycle", () => {
  const sim = simulate([{ device: "press", everyMs: 1000, tookMs: 2, code: "mapper/bad-address" }]);
  sim.line({ state: "up" });
  sim.runTo(10_000);
  assert.deepEqual([sim.health("press").state, sim.health("press").reason], ["online", "mapper/bad-address"]);
  assert.equal(sim.of("publish-bad", 0, 1000).length, 9);
});

test("Schedule: cycles wait for a mapper that starts, are bad with its reason while it is down, and run again at once", () => {
  const sim = simulate([{ device: "press", everyMs: 60_000, tookMs: 2 }]);
  sim.runTo(3000);
  assert.equal(sim.health("press").state, "unknown");
  assert.deepEqual([sim.of("read", 0), sim.of("publish-bad", 0), sim.of("overrun", 0)].flat(), []);
  sim.line({ state: "up" });
  sim.runTo(4000);
  assert.equal(sim.of("read", 0).length, 1);
  sim.line({ state: "down", code: "mapper/stopped", message: "exit code 1" });
  assert.deepEqual([sim.health("press").state, sim.health("press").reason], ["offline", "mapper/stopped"]);
  sim.runTo(70_000);
  assert.equal(sim.of("publish-bad", 0).length, 1);
  sim.line({ state: "up" });
  assert.equal(sim.of("read", 0).length, 2, "its last rows are bad, so it does not wait for the next minute");
  sim.runTo(70_100);
  assert.equal(sim.health("press").state, "online");
});

test("Schedule: a slow cycle that met silence is repaired by the probe, not an hour later", () => {
  const groups: Simulated[] = [{ device: "meter", everyMs: 3_600_000, tookMs: 5, isSilent: true }];
  const sim = simulate(groups);
  sim.line({ state: "up" });
  sim.runTo(1600);
  groups[0]!.isSilent = false;
  sim.runTo(10_000);
  assert.equal(sim.health("meter").state, "online");
});

test("Schedule: when a silent device answers again, its other groups are read at once too", () => {
  const groups: Simulated[] = [
    { device: "meter", everyMs: 500, tookMs: 5 },
    { device: "meter", everyMs: 3_600_000, tookMs: 5, isSilent: true },
  ];
  const sim = simulate(groups);
  sim.line({ state: "up" });
  groups[0]!.isSilent = true;
  // Between two probes.
  sim.runTo(11_000);
  groups[0]!.isSilent = groups[1]!.isSilent = false;
  sim.runTo(60_000);
  assert.equal(sim.of("publish-bad", 1, 50_000).length, 0);
  assert.ok(sim.of("read", 1, 11_000).length >= 1, "the hourly group has good rows again");
});

test("Schedule: a removed device's read in flight keeps its place on the line until it ends, and is told to nobody", () => {
  const schedule = new Schedule();
  const [gone, next] = ["gone", "next"] as DeviceUid[] as [DeviceUid, DeviceUid];
  const add = (device: DeviceUid, id: number) => {
    schedule.step({ t: "add-device", device, connection: bus, offlineAfterUs: null }, 0);
    schedule.step({ t: "add", group: { id, device, connection: bus, everyUs: 1_000_000 } }, 0);
  };
  schedule.step({ t: "line", connection: bus, line: { state: "up" } }, 0);
  add(gone, 1);
  assert.deepEqual(schedule.step({ t: "tick" }, 500_000), [{ t: "read", group: 1 }]);
  add(next, 2);
  schedule.step({ t: "remove-device", device: gone }, 510_000);
  // Neither has answered yet, so each is read alone.
  assert.deepEqual(schedule.step({ t: "tick" }, 900_000), []);
  const outcome = { code: "mapper/timeout", message: null, hasRows: false } as const;
  assert.deepEqual(schedule.step({ t: "answered", group: 1, outcome }, 900_000), [{ t: "read", group: 2 }]);
  assert.deepEqual(schedule.health().length, 1);
});

test("Schedule keeps its promises under random devices, silences and mapper deaths, and repeats itself exactly", () => {
  const device = fc.record({
    device: fc.constantFrom("a", "b", "c", "d", "e"),
    everyMs: fc.constantFrom(10, 100, 1000, 7000),
    tookMs: fc.integer({ min: 1, max: 40 }),
    isSilent: fc.boolean(),
  });
  const step = fc.oneof(
    fc.record({ t: fc.constant("run" as const), forMs: fc.integer({ min: 1, max: 4000 }) }),
    fc.record({ t: fc.constant("turn" as const), which: fc.nat() }),
    fc.record({ t: fc.constantFrom("dies" as const, "is back" as const) }),
  );
  const groupsOf = fc.array(device, { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(groupsOf, fc.array(step, { maxLength: 12 }), (given, steps) => {
      const run = () => {
        const groups = structuredClone(given);
        const sim = simulate(groups);
        sim.line({ state: "up" });
        let at = 0;
        for (const s of steps) {
          if (s.t === "turn") {
            const one = groups[s.which % groups.length]!;
            one.isSilent = !one.isSilent;
          } else if (s.t === "run") {
            at += s.forMs;
            sim.runTo(at);
          } else if (s.t === "dies") {
            sim.line({ state: "down", code: "mapper/stopped", message: "killed" });
          } else {
            sim.line({ state: "up" });
          }
        }
        for (const group of groups) group.isSilent = false;
        sim.line({ state: "up" });
        // Whatever happened, a minute later every device is back.
        sim.runTo(at + 60_000);
        for (const h of sim.schedule.health()) assert.equal(h.state, "online", JSON.stringify(h));
        return sim.log;
      };
      assert.deepEqual(run(), run());
    }),
    { numRuns: 40 },
  );
});

test("nextDue() lies after now, within one cycle, on the grid", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 1e9 }), fc.nat({ max: 1e12 }), (device, every, now) => {
      const due = nextDue(device, every, now);
      assert.ok(due > now && due <= now + every && (due - phaseOf(device, every)) % every === 0);
    }),
  );
});

test("DueTimes gives keys by time, each at the time it was set last", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 9 }), fc.option(fc.nat({ max: 99 }))), { maxLength: 400 }), (sets) => {
      const due = new DueTimes();
      const model = new Map<string, number>();
      for (const [key, at] of sets) {
        if (at === null) {
          due.remove(`${key}`);
          model.delete(`${key}`);
        } else {
          due.set(`${key}`, at);
          model.set(`${key}`, at);
        }
      }
      const taken: number[] = [];
      assert.equal(due.next(), model.size === 0 ? null : Math.min(...model.values()));
      for (let key = due.take(99); key !== null; key = due.take(99)) taken.push(model.get(key)!);
      assert.deepEqual(
        taken,
        [...model.values()].sort((a, b) => a - b),
      );
    }),
  );
});
