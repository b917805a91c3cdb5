import assert from "node:assert/strict";
import { test } from "node:test";
import type { DesiredReport, DesiredValue, DeviceUid, EffectiveProperty, Micros } from "@penstock/model";
import fc from "fast-check";
import { reportsPerSlot, step } from "./desired-machine.ts";
import { type Slot, slotKey } from "./desired-slot.ts";
import type { Access, Context, Input } from "./desired-step.ts";

const device = "d".repeat(32) as DeviceUid;
const property = "speed";
const key = slotKey(device, property);
const speed: EffectiveProperty = {
  name: property,
  type: "int32",
  unit: null,
  access: "readWrite",
  minimum: "0",
  maximum: "100",
  visitor: {},
  collect: { everyMs: 1000 },
  report: { toCloud: true, cadence: null, deadband: null, atLeastMs: null },
  localWrites: "refuse",
  custom: {},
  publish: null,
};

/** One gateway with one property: memory, disk, the device, and a clock that only the test moves. */
class World {
  slots = new Map<string, Slot>();
  disk = new Map<string, Slot>();
  inFlight: Access[] = [];
  now = 1_000_000;
  time = 1_700_000_000_000_000;
  boot = "1";
  described: EffectiveProperty | null = speed;
  /** what the device holds */
  held = -1;
  highestTaken = 0;
  reportsDropped = 0;
  readonly reports: DesiredReport[] = [];

  give(input: Input): void {
    const context: Context = { now: this.now, time: this.time as Micros, boot: this.boot, find: () => this.described };
    const made = step(this.slots, input, context);
    this.reportsDropped += made.reportsDropped;
    for (const [changed, slot] of made.slots) this.slots.set(changed, slot);
    for (const changed of made.durable) {
      const slot = made.slots.get(changed)!;
      for (const report of slot.reports)
        if (!this.disk.get(changed)?.reports.includes(report)) this.reports.push(report);
      this.disk.set(changed, slot);
    }
    for (const access of made.accesses) this.begin(access);
  }

  begin(access: Access): void {
    assert.equal(this.inFlight.length, 0, "two accesses of one property are in flight");
    assert.equal(access.version, this.highestTaken, "an older version is written after a newer was taken");
    this.inFlight.push(access);
  }

  desire(version: number, ttlMs = 60_000, value = version % 101): void {
    this.highestTaken = Math.max(this.highestTaken, version);
    this.give({ t: "desired", values: [{ device, property, type: "int32", value, version, ttlMs }] });
  }

  /** The access in flight ends; `arrives` says whether a write reached the device all the same. */
  settle(how: "ok" | "retriable" | "refused", arrives = how === "ok"): void {
    const access = this.inFlight.pop();
    if (access === undefined) return;
    if (access.op === "write" && arrives) this.held = access.value as number;
    if (how !== "ok") {
      const code = how === "refused" ? "mapper/value-refused" : "mapper/timeout";
      this.give({ t: "trouble", access, trouble: { code, message: how, retriable: how === "retriable" } });
    } else if (access.op === "write") this.give({ t: "written", access });
    else this.give({ t: "found", access, value: this.held });
  }

  pass(ms: number): void {
    this.now += ms * 1000;
    this.time += ms * 1000;
    this.give({ t: "look" });
  }

  crash(options: { arrives: boolean; isReboot: boolean; downMs: number; isTimeTrusted?: boolean }): void {
    const access = this.inFlight.pop();
    if (access?.op === "write" && options.arrives) this.held = access.value as number;
    this.slots = new Map(this.disk);
    this.time += options.downMs * 1000;
    this.now = options.isReboot ? 5_000_000 : this.now + options.downMs * 1000;
    if (options.isReboot) this.boot = String(Number(this.boot) + 1);
    this.give({ t: "restart", isTimeTrusted: options.isTimeTrusted ?? true });
  }

  get slot(): Slot {
    return this.slots.get(key)!;
  }
  states(version: number): string[] {
    return this.reports.filter((report) => report.version === version).map(({ state }) => state);
  }
}

test("step() walks a desired value from pending over written to confirmed", () => {
  const world = new World();
  world.desire(1, 60_000, 42);
  assert.equal(world.slot.active?.state, "pending");
  world.settle("ok");
  world.settle("ok");
  assert.deepEqual(world.states(1), ["written", "confirmed"]);
  assert.equal(world.slot.end?.value, 42);
  assert.equal(world.slot.active, null);
});

test("step() writes a newer version only after the older write has ended, and never the older again", () => {
  const world = new World();
  world.desire(1);
  world.desire(3);
  world.desire(2);
  assert.equal(world.inFlight[0]?.version, 1);
  world.settle("retriable", true);
  assert.equal(world.inFlight[0]?.version, 3);
  world.settle("ok");
  world.settle("ok");
  assert.deepEqual(world.states(1), ["superseded"]);
  assert.deepEqual(world.states(2), ["superseded"]);
  assert.deepEqual(world.states(3), ["written", "confirmed"]);
});

test("step() answers a version that has ended with its known end", () => {
  const world = new World();
  world.desire(1);
  world.settle("ok");
  world.settle("ok");
  world.give({ t: "taken", taken: world.slot.reports });
  assert.equal(world.slot.reports.length, 0);
  world.desire(1);
  assert.deepEqual(
    world.slot.reports.map(({ state }) => state),
    ["confirmed"],
  );
  assert.equal(world.inFlight.length, 0);
});

test("step() refuses what the device's description does not allow, before any access", () => {
  for (const [described, value, reason] of [
    [null, 1, "twin/unknown-property"],
    [{ ...speed, access: "read" as const }, 1, "twin/read-only"],
    [{ ...speed, type: "float64" as const }, 1, "twin/wrong-type"],
    [speed, 101, "twin/out-of-range"],
  ] as const) {
    const world = new World();
    world.described = described;
    world.desire(1, 60_000, value);
    assert.equal(world.inFlight.length, 0);
    assert.equal(world.slot.end?.state, "failed");
    assert.equal(world.slot.end?.reason, reason);
  }
});

test("step() ends a pending value of a removed property as failed", () => {
  const world = new World();
  world.desire(1);
  world.settle("retriable");
  world.described = null;
  world.give({ t: "look" });
  assert.equal(world.slot.end?.reason, "twin/unknown-property");
});

test("step() tries retriable trouble again with back-off until the time to live ends, and says why", () => {
  const world = new World();
  world.desire(1, 1000);
  world.settle("retriable");
  assert.equal(world.inFlight.length, 0);
  world.pass(199);
  assert.equal(world.inFlight.length, 0);
  world.pass(1);
  assert.equal(world.inFlight.length, 1);
  world.settle("retriable");
  world.pass(400);
  world.settle("retriable");
  world.pass(400);
  assert.equal(world.slot.end?.state, "expired");
  assert.match(world.slot.end?.message ?? "", /not written: retriable$/);
});

test("step() ends as failed with twin/not-confirmed when the device goes on showing another value", () => {
  const world = new World();
  world.desire(1, 60_000, 42);
  for (let round = 0; round < 3; round++) {
    world.settle("ok");
    world.held = 40;
    world.settle("ok");
    world.pass(5000);
  }
  assert.equal(world.slot.end?.state, "failed");
  assert.equal(world.slot.end?.reason, "twin/not-confirmed");
  assert.equal(world.slot.end?.value, 40);
});

test("step() ends a write-only property at written", () => {
  const world = new World();
  world.described = { ...speed, access: "write" };
  world.desire(1);
  world.settle("ok");
  assert.deepEqual(world.states(1), ["written"]);
  assert.equal(world.slot.active, null);
});

test("step() counts the time to live on over a restart: by the monotonic clock, after a reboot by the wall clock", () => {
  for (const isReboot of [false, true]) {
    const world = new World();
    world.desire(1, 10_000);
    world.crash({ arrives: false, isReboot, downMs: 4000 });
    world.settle("retriable");
    world.pass(5900);
    assert.notEqual(world.slot.active, null);
    world.settle("retriable");
    world.pass(100);
    assert.equal(world.slot.end?.state, "expired");
  }
  const setForward = new World();
  setForward.desire(1, 10_000);
  setForward.time += 3_600_000_000;
  setForward.crash({ arrives: false, isReboot: false, downMs: 4000 });
  assert.equal(setForward.slot.active?.life.leftMs, 6000);
});

test("step() writes nothing after a loss of power whose length no clock tells, and says so", () => {
  for (const [isTimeTrusted, setBackMs] of [
    [false, 0],
    [true, 60_000],
  ] as const) {
    const world = new World();
    world.desire(1, 10_000);
    world.time -= setBackMs * 1000;
    // The new boot's monotonic clock is further than the old one's was: it says nothing all the same.
    world.crash({ arrives: false, isReboot: true, downMs: 4000, isTimeTrusted });
    assert.deepEqual(world.inFlight, []);
    assert.equal(world.slot.end?.state, "expired");
    assert.match(world.slot.end.message ?? "", /without power, and its clock does not say for how long/);
  }
});

test("step() counts by the monotonic clock of the new boot from then on, also over the next start of the process", () => {
  const world = new World();
  world.desire(1, 10_000);
  world.crash({ arrives: false, isReboot: true, downMs: 4000 });
  world.time -= 3_000_000;
  world.crash({ arrives: false, isReboot: false, downMs: 1000 });
  assert.equal(world.slot.active?.life.leftMs, 5000);
});

test("a hold lasts on after a loss of power whose length no clock tells", () => {
  const world = new World();
  world.described = { ...speed, localWrites: "hold" };
  const write = { device, property, type: "int32", value: 5, version: -1, ttlMs: 60_000, holder: "panel" } as const;
  world.highestTaken = -1;
  world.give({ t: "local", write: { ...write, holdMs: 10_000 } });
  world.settle("ok");
  world.settle("ok");
  world.crash({ arrives: false, isReboot: true, downMs: 4000, isTimeTrusted: false });
  world.pass(9000);
  assert.notEqual(world.slot.hold, null);
  world.pass(1000);
  assert.equal(world.slot.hold, null);
});

test("step() keeps a bounded list of reports and counts what had to go", () => {
  const world = new World();
  for (let version = 1; version <= 100; version++) world.desire(version);
  assert.equal(world.slot.reports.length, reportsPerSlot);
  assert.equal(world.slot.reports.at(-1)?.version, 99);
  assert.equal(world.reportsDropped, 99 - reportsPerSlot);
});

type Move = (world: World, sent: Map<number, DesiredValue["value"]>) => void;

const moves: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ version: fc.integer({ min: 1, max: 12 }), ttlMs: fc.constantFrom(500, 5000, 60_000) }).map(
    ({ version, ttlMs }): Move =>
      (world, sent) => {
        sent.set(version, version);
        world.desire(version, ttlMs);
      },
  ),
  fc.record({ how: fc.constantFrom("ok", "ok", "ok", "retriable", "refused"), arrives: fc.boolean() }).map(
    ({ how, arrives }): Move =>
      (world) =>
        world.settle(how as "ok", how === "ok" || arrives),
  ),
  fc.integer({ min: 1, max: 3000 }).map(
    (ms): Move =>
      (world) =>
        world.pass(ms),
  ),
  fc.record({ arrives: fc.boolean(), isReboot: fc.boolean(), downMs: fc.integer({ min: 0, max: 2000 }) }).map(
    (options): Move =>
      (world) =>
        world.crash(options),
  ),
  fc.integer({ min: 200, max: 240 }).map(
    (other): Move =>
      (world) => {
        world.held = other;
      },
  ),
  fc.constant<Move>((world) => {
    if (world.slots.has(key)) world.give({ t: "taken", taken: world.slot.reports });
  }),
);

test("step() ends with the highest version or an honest reason, whatever happens in whatever order", () => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 60 }), (history) => {
      const world = new World();
      const sent = new Map<number, DesiredValue["value"]>();
      for (const move of history) move(world, sent);
      // Whatever is still on its way gets all the time and luck that it needs.
      for (let round = 0; round < 40; round++) {
        while (world.inFlight.length > 0) world.settle("ok");
        world.pass(5000);
      }
      for (const version of sent.keys()) {
        const ends = world.reports.filter((report) => report.version === version && report.state !== "written");
        assert.ok(ends.length > 0, `version ${version} never ended`);
        for (const end of ends) assert.ok(end.state === "confirmed" || end.reason !== null, "an end without a reason");
      }
      if (sent.size === 0) return;
      assert.equal(world.slot.highest, world.highestTaken);
      assert.equal(world.slot.end?.version, world.highestTaken);
      for (const report of world.reports) {
        if (report.state === "confirmed") assert.equal(report.value, report.version % 101);
      }
    }),
    { numRuns: 2000 },
  );
});
