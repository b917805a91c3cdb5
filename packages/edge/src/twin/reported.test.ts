import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AppError,
  batchFromSamples,
  type DeviceUid,
  type EffectiveDevice,
  type Layout,
  layoutOrder,
  type Micros,
  type OutboxEntry,
  type ReadingBatch,
  readingsOf,
  type Value,
  type ValueType,
} from "@penstock/model";
import { type Files, metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, SimRandom, simDisk } from "@penstock/testkit";
import { encodeBatchBody } from "@penstock/wire";
import { readCheckpoint, writeCheckpoint } from "./reported-checkpoint.ts";
import type { AcceptedReadings } from "./reported-keeper.ts";
import { openTwin } from "./twin.ts";

const uid = "d".repeat(32) as DeviceUid;
const other = "a".repeat(32) as DeviceUid;
const epoch = "e".repeat(32) as ReturnType<AcceptedReadings["position"]>["epoch"];

interface Point {
  readonly name: string;
  readonly type: ValueType;
  readonly value: Value;
}
function batchOf(points: readonly Point[], time: number, clock: ReadingBatch["clock"] = null): ReadingBatch {
  const layout: Layout = { id: 0, device: uid, properties: layoutOrder(points) };
  const samples = points.map(({ name, value }) => ({
    ...{ property: name, time: time as Micros, value },
    ...(value === null
      ? ({ quality: "bad", reason: "mapper/timeout" } as const)
      : ({ quality: "good", reason: null } as const)),
  }));
  return batchFromSamples({ layout, samples, clock }).batch;
}
const speed = (time: number, value: number) => batchOf([{ name: "speed", type: "float64", value }], time);

/** An outbox in memory: it survives what the test calls a crash. */
class Accepted implements AcceptedReadings {
  readonly entries: OutboxEntry[] = [];
  epoch = epoch;
  passed = 0;
  reads = 0;
  accept(batch: ReadingBatch): void {
    const { layout, count } = batch;
    this.entries.push({ firstSeq: this.#highest + 1, count, layout, body: encodeBatchBody(batch) });
  }
  get #highest(): number {
    const last = this.entries.at(-1);
    return last === undefined ? 0 : last.firstSeq + last.count - 1;
  }
  position() {
    return { epoch: this.epoch, seq: this.#highest };
  }
  async read(from: number): Promise<readonly OutboxEntry[]> {
    const held = this.entries.filter(({ firstSeq }) => firstSeq >= from && firstSeq > this.passed);
    this.reads += held.length;
    return held.slice(0, 2);
  }
  pass(seq: number): void {
    this.passed = seq;
  }
}

function site() {
  const disk = simDisk({ random: new SimRandom(1) });
  const clock = new SimClock();
  const accepted = new Accepted();
  const metrics = metricsRegistry();
  const lookup = (): EffectiveDevice | null => null;
  const access = {
    write: () => Promise.reject(new Error()),
    read: () => Promise.reject(new Error()),
    call: () => Promise.reject(new Error()),
  };
  const open = (files: Files = disk.files, checkpointEveryMs?: number) =>
    openTwin({
      ...{ files, folder: "/twin", clock, log: silentLog, metrics, access, lookup, accepted },
      machine: { boot: "1", isTimeTrusted: true },
      ...(checkpointEveryMs !== undefined && { checkpointEveryMs }),
    });
  const written = metrics.counter("penstock_twin_checkpoints_total", "Checkpoints of reported values written");
  return { disk, clock, accepted, open, checkpoints: () => written.value };
}

test("reported values of every type come back from the checkpoint as they were, with their own times", async () => {
  const points: Point[] = [
    { name: "flag", type: "bool", value: true },
    { name: "count", type: "uint64", value: 2n ** 64n - 1n },
    { name: "level", type: "float64", value: -0 },
    { name: "short", type: "float32", value: Math.fround(0.1) },
    { name: "text", type: "string", value: "Füllstand" },
    { name: "raw", type: "bytes", value: Uint8Array.of(0, 255) },
    { name: "shape", type: "json", value: { json: { $int: "7", list: [null, 1] } } },
    { name: "gone", type: "int16", value: null },
  ];
  const { disk, open } = site();
  const twin = await open();
  // Not one of them was accepted by the outbox: readings that do not go to the cloud are in the checkpoint alone.
  await twin.consumer.take(batchOf(points, 1_800_000_000_000_001));
  const before = twin.reported(uid);
  assert.equal(before.size, points.length);
  await twin.close();
  disk.crash();
  const again = await open();
  assert.deepEqual(again.reported(uid), before);
  await again.close();
});

test("reported values are checkpointed every 10 s while readings come, not at all while none do, and at close", async () => {
  const { clock, disk, accepted, open, checkpoints } = site();
  const twin = await open();
  await clock.advanceAsync(60_000);
  assert.equal(checkpoints(), 0);
  for (let second = 1; second <= 60; second++) {
    const batch = speed(second, second);
    await twin.consumer.take(batch);
    accepted.accept(batch);
    await clock.advanceAsync(1000);
  }
  assert.equal(checkpoints(), 6);
  assert.equal(accepted.passed, 60);
  await clock.advanceAsync(600_000);
  assert.equal(checkpoints(), 6);
  await twin.close();
  assert.equal(checkpoints(), 6);
  const again = await open();
  await again.consumer.take(speed(61, 61));
  await again.close();
  assert.equal(checkpoints(), 7);
  assert.deepEqual(
    (await disk.files.list("/twin")).filter((name) => name.startsWith("reported")),
    ["reported"],
  );
});

test("checkpointEveryMs below a second is a second", async () => {
  const { clock, disk, open, checkpoints } = site();
  const twin = await open(disk.files, 1);
  for (let turn = 0; turn < 50; turn++) {
    await twin.consumer.take(speed(turn, turn));
    await clock.advanceAsync(100);
  }
  assert.equal(checkpoints(), 5);
  await twin.close();
});

test("only what was accepted after the checkpoint is replayed; of another epoch all that is left", async () => {
  const { clock, accepted, disk, open } = site();
  const twin = await open();
  for (const time of [1, 2, 3]) {
    await twin.consumer.take(speed(time, time));
    accepted.accept(speed(time, time));
  }
  await clock.advanceAsync(10_000);
  accepted.accept(speed(4, 4));
  disk.crash();
  accepted.passed = 0;
  accepted.reads = 0;
  const again = await open();
  assert.equal(again.reported(uid).get("speed")?.value, 4);
  assert.equal(accepted.reads, 1);
  await again.close();
  accepted.epoch = "f".repeat(32) as typeof epoch;
  accepted.passed = 0;
  accepted.reads = 0;
  const third = await open();
  assert.equal(third.reported(uid).get("speed")?.value, 4);
  assert.ok(accepted.reads >= 4);
  await third.close();
});

test("a value of an untrusted clock is known as such after a restart, and makes way for the next", async () => {
  const { open } = site();
  const twin = await open();
  const point: Point = { name: "speed", type: "float64", value: 1 };
  const boot = "b".repeat(32) as NonNullable<ReadingBatch["clock"]>["boot"];
  await twin.consumer.take(batchOf([point], 9_000, { boot, monotonic: 1 }));
  await twin.close();
  const again = await open();
  await again.consumer.take(speed(5_000, 2));
  assert.equal(again.reported(uid).get("speed")?.value, 2);
  await again.close();
});

test("a damaged checkpoint keeps nothing from starting: what the outbox still has comes back", async () => {
  const { accepted, disk, open } = site();
  const twin = await open();
  await twin.consumer.take(speed(1, 1));
  await twin.close();
  accepted.accept(speed(2, 2));
  for (const at of [0, 6, 20, 120]) disk.flip("/twin/reported", at);
  const again = await open();
  assert.equal(again.reported(uid).get("speed")?.value, 2);
  await again.close();
});

test("readCheckpoint() refuses a file that is cut at any byte", async () => {
  const { disk } = site();
  const { files } = disk;
  const reading = { ...readingsOf(speed(1, 1))[0]!, device: uid };
  const values = [{ reading, uncertainClock: false }];
  const place = { files, folder: "/c" };
  const position = { epoch, seq: 7 };
  const write = () => writeCheckpoint({ ...place, position, devices: [uid, other].map((one) => [one, values]) });
  await write();
  const whole = await readCheckpoint(place);
  assert.deepEqual(whole?.position, position);
  assert.deepEqual(
    whole?.devices.map(([device]) => device),
    [uid, other],
  );
  const { length } = await files.readAll("/c/reported");
  for (let to = 0; to < length; to++) {
    await write();
    await files.truncate("/c/reported", to);
    await assert.rejects(readCheckpoint(place), { code: "data/corrupt" }, `cut at ${to} of ${length}`);
  }
});

test("a full disk costs the checkpoint, never the outbox its room, and the next checkpoint makes up for it", async () => {
  const { clock, accepted, disk, open, checkpoints } = site();
  const twin = await open();
  await twin.consumer.take(speed(1, 1));
  accepted.accept(speed(1, 1));
  const used = disk.used;
  disk.capacity = used + 10;
  await clock.advanceAsync(25_000);
  assert.equal(checkpoints(), 0);
  assert.equal(accepted.passed, 1);
  assert.equal(disk.used, used, "half a checkpoint lies about");
  disk.capacity = Number.POSITIVE_INFINITY;
  await clock.advanceAsync(10_000);
  assert.equal(checkpoints(), 1);
  disk.crash();
  const again = await open();
  assert.equal(again.reported(uid).get("speed")?.value, 1);
  await again.close();
});

test("an outbox that cannot be read keeps the gateway from nothing", async () => {
  const { accepted, open } = site();
  accepted.read = () => Promise.reject(new AppError("outbox/corrupt", "Cannot read"));
  const twin = await open();
  assert.equal(twin.reported(uid).size, 0);
  await twin.close();
});
