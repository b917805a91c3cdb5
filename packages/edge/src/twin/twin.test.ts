import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AppError,
  batchFromSamples,
  type DesiredReport,
  type DesiredValue,
  type DeviceAccess,
  type DeviceUid,
  type EffectiveDevice,
  layoutOrder,
  type Micros,
  type Value,
} from "@penstock/model";
import { type Files, metricsRegistry, silentLog, sleep } from "@penstock/runtime";
import { SimClock } from "@penstock/testkit";
import { openTwin, type Twin } from "./twin.ts";

const uid = "d".repeat(32) as DeviceUid;
const conveyor: EffectiveDevice = {
  uid,
  name: "conveyor-01",
  generation: 1,
  connection: "c".repeat(32) as EffectiveDevice["connection"],
  address: {},
  custom: {},
  properties: ["speed", "limit"].map((name) => ({
    name,
    type: "float64" as const,
    unit: null,
    access: "readWrite" as const,
    minimum: "0",
    maximum: "100",
    visitor: { scale: 0.1 },
    collectEveryMs: 1000,
    toCloud: true,
    publish: null,
  })),
};

/** A disk in memory that forgets at a power cut what was not synced, and may stop after so many changes. */
class MemoryDisk implements Files {
  readonly #files = new Map<string, { bytes: Uint8Array; synced: number }>();
  changesLeft = Number.POSITIVE_INFINITY;
  changes = 0;
  failure = Object.assign(new Error("input/output error"), { code: "EIO" });

  /** the disk as a restarted machine finds it */
  cut(): MemoryDisk {
    const after = new MemoryDisk();
    for (const [path, { bytes, synced }] of this.#files) {
      after.#files.set(path, { bytes: bytes.slice(0, synced), synced });
    }
    return after;
  }
  #change(): void {
    this.changes++;
    if (--this.changesLeft < 0) throw this.failure;
  }
  #file(path: string): { bytes: Uint8Array; synced: number } {
    const file = this.#files.get(path);
    if (file === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" });
    return file;
  }

  async makeFolder(): Promise<void> {}
  async list(folder: string): Promise<string[]> {
    const inside = [...this.#files.keys()].filter((path) => path.startsWith(`${folder}/`));
    return inside.map((path) => path.slice(folder.length + 1)).filter((name) => !name.includes("/"));
  }
  async exists(path: string): Promise<boolean> {
    return this.#files.has(path);
  }
  async readAll(path: string): Promise<Uint8Array> {
    return this.#file(path).bytes;
  }
  async openAppend(path: string) {
    this.#change();
    if (!this.#files.has(path)) this.#files.set(path, { bytes: new Uint8Array(0), synced: 0 });
    const file = this.#file(path);
    return {
      path,
      get length() {
        return file.bytes.length;
      },
      append: async (given: Uint8Array | readonly Uint8Array[]) => {
        this.#change();
        const parts = given instanceof Uint8Array ? [given] : given;
        file.bytes = new Uint8Array(Buffer.concat([file.bytes, ...parts]));
      },
      sync: async () => {
        this.#change();
        file.synced = file.bytes.length;
      },
      close: async () => {},
    };
  }
  async openRead(path: string) {
    const file = this.#file(path);
    return {
      read: async (at: number, length: number) => file.bytes.slice(at, at + length),
      size: async () => file.bytes.length,
      close: async () => {},
    };
  }
  async truncate(path: string, length: number): Promise<void> {
    this.#change();
    const file = this.#file(path);
    file.bytes = file.bytes.slice(0, length);
    file.synced = Math.min(file.synced, length);
  }
  async rename(from: string, to: string): Promise<void> {
    this.#change();
    this.#files.set(to, this.#file(from));
    this.#files.delete(from);
  }
  async remove(path: string): Promise<void> {
    this.#change();
    this.#files.delete(path);
  }
  async syncFolder(): Promise<void> {
    this.#change();
  }
  async free(): Promise<number> {
    return 1e9;
  }
}

/** A device that holds one decimal, and notes every write. */
class Plant implements DeviceAccess {
  readonly held = new Map<string, number>();
  readonly writes: Value[] = [];
  isDeaf = false;
  readonly #clock: SimClock;
  constructor(clock: SimClock) {
    this.#clock = clock;
  }
  async write(_device: DeviceUid, property: string, value: Value): Promise<void> {
    await sleep(this.#clock, 5);
    if (this.isDeaf) throw new AppError("mapper/timeout", "Cannot write: no answer");
    this.writes.push(value);
    this.held.set(property, Math.round((value as number) * 10) / 10);
  }
  async read(_device: DeviceUid, property: string): Promise<Value> {
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
  const twin = await openTwin({ files: disk, folder: "/twin", clock, log: silentLog, metrics, access: plant, lookup });
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

function ends(reports: readonly DesiredReport[]): string[] {
  return reports.map(({ property, version, state }) => `${property}#${version} ${state}`);
}

test("openTwin() writes a desired value, reads it back as the device can hold it, and reports each step", async () => {
  const { twin, clock, plant } = await open(new MemoryDisk());
  let told = 0;
  twin.onReport(() => told++);
  await twin.takeDesired([desired(1, 42.04)]);
  await clock.advanceAsync(100);
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
  const disk = new MemoryDisk();
  const before = await open(disk);
  before.plant.isDeaf = true;
  await before.twin.takeDesired([desired(7, 55)]);
  const { twin, clock, plant } = await open(disk.cut());
  await clock.advanceAsync(1000);
  assert.deepEqual(plant.writes, [55]);
  assert.deepEqual(ends(twin.pendingReports()), ["speed#7 written", "speed#7 confirmed"]);
  await close(twin, clock);
});

test("openTwin() survives a power cut at any change of the disk: the highest version taken is at the device and reported", async () => {
  for (let stop = 0; ; stop++) {
    const disk = new MemoryDisk();
    const clock = new SimClock();
    const plant = new Plant(clock);
    let taken = 0;
    disk.changesLeft = stop;
    const before = await open(disk, { plant, clock }).catch(() => null);
    for (const version of [1, 3, 2, 5]) {
      await before?.twin.takeDesired([desired(version, version * 10)]).then(
        () => {
          taken = Math.max(taken, version);
        },
        () => {},
      );
      if (version === 3) await clock.advanceAsync(50);
    }
    const writesBefore = plant.writes.length;
    // The process is gone: what it still has in flight may reach the device, but the disk no more.
    disk.changesLeft = 0;
    const after = await open(disk.cut(), { plant, clock });
    await clock.advanceAsync(5000);
    if (taken > 0) {
      const [view] = after.twin.desired(uid);
      assert.ok(view !== undefined && view.version >= taken, `stop ${stop}: version ${taken} was forgotten`);
      assert.equal(view.state, "confirmed", `stop ${stop}`);
      assert.equal(plant.held.get("speed"), view.version * 10, `stop ${stop}`);
      assert.ok(ends(after.twin.pendingReports()).includes(`speed#${view.version} confirmed`), `stop ${stop}`);
      const later = plant.writes.slice(writesBefore);
      assert.ok(
        later.every((value) => value === view.version * 10),
        `stop ${stop}: an older version was written`,
      );
    }
    await close(after.twin, clock);
    if (disk.changes < stop) break;
  }
});

test("openTwin() refuses a desired value that the disk did not take, and takes it later", async () => {
  const disk = new MemoryDisk();
  const { twin, clock, plant } = await open(disk);
  disk.failure = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  disk.changesLeft = 0;
  await assert.rejects(twin.takeDesired([desired(1, 10)]), { code: "data/disk-full" });
  await clock.advanceAsync(2000);
  assert.deepEqual(plant.writes, []);
  assert.deepEqual(twin.desired(uid), []);
  disk.changesLeft = Number.POSITIVE_INFINITY;
  await twin.takeDesired([desired(1, 10)]);
  await clock.advanceAsync(100);
  assert.deepEqual(ends(twin.pendingReports()), ["speed#1 written", "speed#1 confirmed"]);
  await close(twin, clock);
});

test("openTwin() makes up for a step that the disk did not take, once it has room", async () => {
  const disk = new MemoryDisk();
  const { twin, clock } = await open(disk);
  await twin.takeDesired([desired(1, 10)]);
  disk.changesLeft = 0;
  await clock.advanceAsync(3000);
  assert.deepEqual(twin.pendingReports(), []);
  disk.changesLeft = Number.POSITIVE_INFINITY;
  await clock.advanceAsync(3000);
  assert.deepEqual(ends(twin.pendingReports()), ["speed#1 written", "speed#1 confirmed"]);
  await close(twin, clock);
});

test("openTwin() ends what a deaf device never took when its time to live is over", async () => {
  const { twin, clock, plant } = await open(new MemoryDisk());
  plant.isDeaf = true;
  await twin.takeDesired([{ ...desired(1), ttlMs: 3000 }]);
  await clock.advanceAsync(2900);
  assert.deepEqual(twin.pendingReports(), []);
  await clock.advanceAsync(200);
  const [end] = twin.pendingReports();
  assert.equal(end?.state, "expired");
  assert.equal(end?.reason, "twin/expired");
  assert.match(end?.message ?? "", /not written: Cannot write: no answer$/);
  await close(twin, clock);
});

test("devicesChanged() ends desired values of a removed device, and forgets its reported values", async () => {
  let described: EffectiveDevice | null = conveyor;
  const { twin, clock, plant } = await open(new MemoryDisk(), { find: () => described });
  plant.isDeaf = true;
  await twin.takeDesired([desired(1)]);
  await clock.advanceAsync(100);
  await twin.consumer.take(reading(1000, 5));
  described = null;
  twin.devicesChanged();
  await clock.advanceAsync(100);
  assert.deepEqual(
    twin.pendingReports().map(({ reason }) => reason),
    ["twin/unknown-property"],
  );
  assert.equal(twin.reported(uid).size, 0);
  await close(twin, clock);
});

test("takeDesired() names a version that is none and keeps nothing of the message", async () => {
  const { twin, clock } = await open(new MemoryDisk());
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
  const { twin, clock } = await open(new MemoryDisk());
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
