import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AppError,
  batchFromSamples,
  type DesiredReport,
  type DesiredValue,
  type DeviceAccess,
  type DeviceUid,
  type DeviceWrite,
  type EffectiveDevice,
  layoutOrder,
  type Micros,
  type Value,
} from "@penstock/model";
import { type Files, metricsRegistry, silentLog, sleep } from "@penstock/runtime";
import { SimClock, SimRandom, simDisk } from "@penstock/testkit";
import { openTwin, type Twin } from "./twin.ts";

const uid = "d".repeat(32) as DeviceUid;
const conveyor: EffectiveDevice = {
  uid,
  name: "conveyor-01",
  generation: 1,
  connection: "c".repeat(32) as EffectiveDevice["connection"],
  address: {},
  methods: [],
  offlineAfterMs: null,
  custom: {},
  properties: ["speed", "limit", "ramp"].map((name) => ({
    name,
    type: "float64" as const,
    unit: null,
    access: "readWrite" as const,
    minimum: "0",
    maximum: "100",
    visitor: { scale: 0.1 },
    collect: { everyMs: 1000 },
    report: { toCloud: true, cadence: null, deadband: null, atLeastMs: null },
    localWrites: "refuse",
    custom: {},
    publish: null,
  })),
};

/** Virtual time in which a test waits for what neither clock nor disk tells it: promises in many turns. */
async function turns(clock: SimClock, ms = 200): Promise<void> {
  for (let at = 0; at < ms; at += 10) await clock.advanceAsync(10);
}

/** A device that holds one decimal, and notes every write. */
class Plant implements DeviceAccess {
  readonly held = new Map<string, number>();
  readonly writes: Value[] = [];
  /** the properties of each write call, and of each read call */
  readonly writeCalls: string[][] = [];
  readonly readCalls: string[] = [];
  readonly refused = new Set<string>();
  isDeaf = false;
  readonly #clock: SimClock;
  constructor(clock: SimClock) {
    this.#clock = clock;
  }
  async write(_device: DeviceUid, writes: readonly DeviceWrite[]): Promise<(AppError | null)[]> {
    this.writeCalls.push(writes.map(({ property }) => property));
    await sleep(this.#clock, 5);
    if (this.isDeaf) throw new AppError("mapper/timeout", "Cannot write: no answer");
    return writes.map(({ property, value }) => {
      if (this.refused.has(property))
        return new AppError("mapper/value-refused", `Cannot write "${property}": refused`);
      this.writes.push(value);
      this.held.set(property, Math.round((value as number) * 10) / 10);
      return null;
    });
  }
  async call(): Promise<Value> {
    throw new AppError("mapper/unsupported", "Cannot call: it has no methods");
  }
  async read(_device: DeviceUid, property: string): Promise<Value> {
    this.readCalls.push(property);
    await sleep(this.#clock, 5);
    if (this.isDeaf) throw new AppError("mapper/timeout", "Cannot read: no answer");
    return this.held.get(property) ?? 0;
  }
}

interface Site {
  readonly twin: Twin;
  readonly clock: SimClock;
  readonly plant: Plant;
}

async function open(disk: Files, of: { clock?: SimClock; plant?: Plant; find?: () => EffectiveDevice | null } = {}) {
  const clock = of.clock ?? new SimClock();
  const plant = of.plant ?? new Plant(clock);
  const lookup = of.find ?? (() => conveyor);
  const metrics = metricsRegistry();
  const machine = { boot: "1", isTimeTrusted: true };
  const parts = { files: disk, folder: "/twin", clock, log: silentLog, metrics };
  const twin = await openTwin({ ...parts, access: plant, lookup, machine });
  return { twin, clock, plant } satisfies Site;
}

async function close(twin: Twin, clock: SimClock): Promise<void> {
  const closed = twin.close();
  await clock.advanceAsync(100);
  await closed;
}

function desired(version: number, value: Value = version, property = "speed"): DesiredValue {
  return { device: uid, property, type: "float64", value, version, ttlMs: 60_000 };
}

/** one desired value of each property */
function each(version: number, device = uid): DesiredValue[] {
  return ["speed", "limit", "ramp"].map((property) => ({ ...desired(version, 10, property), device }));
}

function ends(reports: readonly DesiredReport[]): string[] {
  return reports.map(({ property, version, state }) => `${property}#${version} ${state}`);
}

test("openTwin() writes a desired value, reads it back as the device can hold it, and reports each step", async () => {
  const { twin, clock, plant } = await open(simDisk({ random: new SimRandom(1) }).files);
  let told = 0;
  twin.onReport(() => told++);
  await twin.takeDesired([desired(1, 42.04)]);
  await turns(clock);
  assert.deepEqual(plant.writes, [42.04]);
  assert.deepEqual(ends(twin.pendingReports()), ["speed#1 written", "speed#1 confirmed"]);
  assert.equal(twin.pendingReports()[1]?.value, 42);
  assert.equal(told, 2);
  await twin.reportsTaken(twin.pendingReports());
  assert.deepEqual(twin.pendingReports(), []);
  assert.equal(twin.desired(uid)[0]?.state, "confirmed");
  await close(twin, clock);
});

test("openTwin() has a desired value on disk when takeDesired resolves, and goes on with it after a power cut", async () => {
  const disk = simDisk({ random: new SimRandom(1) });
  const before = await open(disk.files);
  before.plant.isDeaf = true;
  await before.twin.takeDesired([desired(7, 55)]);
  disk.crash();
  const { twin, clock, plant } = await open(disk.files);
  await turns(clock);
  assert.deepEqual(plant.writes, [55]);
  assert.deepEqual(ends(twin.pendingReports()), ["speed#7 written", "speed#7 confirmed"]);
  await close(twin, clock);
});

test("openTwin() survives a power cut before any step of the disk: the highest version taken is at the device and reported", async () => {
  let struck = true;
  let cuts = 0;
  for (let stop = 1; struck; stop++) {
    struck = false;
    let stepsLeft = stop;
    const disk = simDisk({
      random: new SimRandom(stop),
      step: async () => {
        if (--stepsLeft !== 0) return;
        struck = true;
        disk.crash();
      },
    });
    const clock = new SimClock();
    const plant = new Plant(clock);
    let taken = 0;
    const run = async () => {
      const { twin } = await open(disk.files, { plant, clock });
      for (const version of [1, 3, 2, 5]) {
        await twin.takeDesired([desired(version, version * 10)]);
        taken = Math.max(taken, version);
      }
    };
    // After the cut its calls never come back, as in a process that is gone; a write may still be on its way to the device.
    void run();
    await turns(clock);
    const writesBefore = plant.writes.length;
    if (!struck) disk.crash();
    stepsLeft = Number.POSITIVE_INFINITY;
    const after = await open(disk.files, { plant, clock });
    await turns(clock, 1000);
    const [view] = after.twin.desired(uid);
    assert.ok((view?.version ?? 0) >= taken, `cut ${stop}: version ${taken} was forgotten`);
    if (view !== undefined) {
      cuts++;
      assert.equal(view.state, "confirmed", `cut ${stop}`);
      assert.equal(plant.held.get("speed"), view.version * 10, `cut ${stop}`);
      assert.ok(ends(after.twin.pendingReports()).includes(`speed#${view.version} confirmed`), `cut ${stop}`);
      const later = plant.writes.slice(writesBefore);
      assert.ok(
        later.every((value) => value === view.version * 10),
        `cut ${stop}: an older version was written`,
      );
    }
    await close(after.twin, clock);
  }
  assert.ok(cuts > 10, `only ${cuts} cuts met a desired value`);
});

test("openTwin() refuses a desired value that the disk did not take, and takes it later", async () => {
  const disk = simDisk({ random: new SimRandom(1) });
  const { twin, clock, plant } = await open(disk.files);
  disk.capacity = disk.used;
  await assert.rejects(twin.takeDesired([desired(1, 10)]), { code: "data/disk-full" });
  await turns(clock, 2000);
  assert.deepEqual(plant.writes, []);
  assert.deepEqual(twin.desired(uid), []);
  disk.capacity = Number.POSITIVE_INFINITY;
  await twin.takeDesired([desired(1, 10)]);
  await turns(clock);
  assert.deepEqual(ends(twin.pendingReports()), ["speed#1 written", "speed#1 confirmed"]);
  await close(twin, clock);
});

test("openTwin() makes up for a step that the disk did not take, once it has room", async () => {
  const disk = simDisk({ random: new SimRandom(1) });
  const { twin, clock } = await open(disk.files);
  await twin.takeDesired([desired(1, 10)]);
  disk.capacity = disk.used;
  await turns(clock, 3000);
  assert.deepEqual(twin.pendingReports(), []);
  disk.capacity = Number.POSITIVE_INFINITY;
  await turns(clock, 3000);
  assert.deepEqual(ends(twin.pendingReports()), ["speed#1 written", "speed#1 confirmed"]);
  await close(twin, clock);
});

test("openTwin() ends what a deaf device never took when its time to live is over", async () => {
  const { twin, clock, plant } = await open(simDisk({ random: new SimRandom(1) }).files);
  plant.isDeaf = true;
  await twin.takeDesired([{ ...desired(1), ttlMs: 3000 }]);
  await turns(clock, 2900);
  assert.deepEqual(twin.pendingReports(), []);
  await turns(clock, 200);
  const [end] = twin.pendingReports();
  assert.equal(end?.state, "expired");
  assert.equal(end?.reason, "twin/expired");
  assert.match(end?.message ?? "", /not written: Cannot write: no answer$/);
  await close(twin, clock);
});

test("devicesChanged() ends desired values of a removed device, and forgets its reported values", async () => {
  let described: EffectiveDevice | null = conveyor;
  const { twin, clock, plant } = await open(simDisk({ random: new SimRandom(1) }).files, { find: () => described });
  plant.isDeaf = true;
  await twin.takeDesired([desired(1)]);
  await turns(clock);
  await twin.consumer.take(reading(1000, 5));
  described = null;
  twin.devicesChanged();
  await turns(clock);
  assert.deepEqual(
    twin.pendingReports().map(({ reason }) => reason),
    ["twin/unknown-property"],
  );
  assert.equal(twin.reported(uid).size, 0);
  await close(twin, clock);
});

test("takeDesired() names a version that is none and keeps nothing of the message", async () => {
  const { twin, clock } = await open(simDisk({ random: new SimRandom(1) }).files);
  for (const version of [0, 1.5, Number.NaN]) {
    await assert.rejects(twin.takeDesired([desired(1), { ...desired(2), version }]), { code: "input/invalid" });
  }
  assert.deepEqual(twin.desired(uid), []);
  await close(twin, clock);
});

function reading(time: number, value: number) {
  const layout = { id: 0, device: uid, properties: layoutOrder([{ name: "speed", type: "float64" }]) };
  const sample = { property: "speed", time: time as Micros, value, quality: "good" as const, reason: null };
  return batchFromSamples({ layout, samples: [sample] }).batch;
}

test("reported values move only forward by the reading's time; of two equal ones the later wins", async () => {
  const { twin, clock } = await open(simDisk({ random: new SimRandom(1) }).files);
  const seen: (Value | undefined)[] = [];
  for (const [time, value] of [
    [2000, 1],
    [1000, 2],
    [2000, 3],
    [3000, 4],
  ] as const) {
    await twin.consumer.take(reading(time, value));
    seen.push(twin.reported(uid).get("speed")?.value);
  }
  assert.deepEqual(seen, [1, 1, 3, 4]);
  await close(twin, clock);
});

test("takeDesired() writes all values of a device in one round trip, and confirms each", async () => {
  const { twin, clock, plant } = await open(simDisk({ random: new SimRandom(1) }).files);
  await twin.takeDesired(each(1));
  await turns(clock);
  assert.deepEqual(plant.writeCalls, [["speed", "limit", "ramp"]]);
  assert.deepEqual(plant.readCalls.sort(), ["limit", "ramp", "speed"]);
  const confirmed = twin.pendingReports().filter(({ state }) => state === "confirmed");
  assert.deepEqual(confirmed.map(({ property }) => property).sort(), ["limit", "ramp", "speed"]);
  await close(twin, clock);
});

test("takeDesired() lets a value that the device refuses fail alone", async () => {
  const { twin, clock, plant } = await open(simDisk({ random: new SimRandom(1) }).files);
  plant.refused.add("limit");
  await twin.takeDesired(each(1));
  await turns(clock);
  assert.equal(plant.writeCalls.length, 1);
  const states = Object.fromEntries(twin.desired(uid).map(({ property, state }) => [property, state]));
  assert.deepEqual(states, { speed: "confirmed", limit: "failed", ramp: "confirmed" });
  assert.equal(twin.desired(uid).find(({ property }) => property === "limit")?.end?.reason, "mapper/value-refused");
  await close(twin, clock);
});

test("takeDesired() tries all values of a device that does not answer again, together", async () => {
  const { twin, clock, plant } = await open(simDisk({ random: new SimRandom(1) }).files);
  plant.isDeaf = true;
  await twin.takeDesired(each(1));
  await turns(clock, 50);
  plant.isDeaf = false;
  await turns(clock, 5000);
  assert.deepEqual(
    plant.writeCalls,
    [each(1), each(1)].map((values) => values.map(({ property }) => property)),
  );
  assert.ok(twin.desired(uid).every(({ state }) => state === "confirmed"));
  await close(twin, clock);
});

test("takeDesired() makes one round trip a device", async () => {
  const { twin, clock, plant } = await open(simDisk({ random: new SimRandom(1) }).files);
  const other = "e".repeat(32) as DeviceUid;
  await twin.takeDesired([...each(1), ...each(1, other)]);
  await turns(clock);
  assert.deepEqual(plant.writeCalls, [
    ["speed", "limit", "ramp"],
    ["speed", "limit", "ramp"],
  ]);
  assert.ok([...twin.desired(uid), ...twin.desired(other)].every(({ state }) => state === "confirmed"));
  await close(twin, clock);
});

test("devicesChanged() accesses no device whose desired values stand", async () => {
  let described = conveyor;
  const { twin, clock, plant } = await open(simDisk({ random: new SimRandom(1) }).files, { find: () => described });
  await twin.takeDesired(each(1));
  await turns(clock);
  const before = [plant.writeCalls.length, plant.readCalls.length];
  described = { ...conveyor, generation: 2, name: "conveyor-02" };
  twin.devicesChanged();
  await turns(clock, 1000);
  assert.deepEqual([plant.writeCalls.length, plant.readCalls.length], before);
  await close(twin, clock);
});
