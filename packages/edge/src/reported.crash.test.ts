import assert from "node:assert/strict";
import { test } from "node:test";
import { batchFromSamples, type DeviceUid, layoutOrder, type Micros, type ReadingBatch } from "@penstock/model";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, type SimDisk, SimRandom, settle, simDisk } from "@penstock/testkit";
import { openOutbox } from "./outbox/outbox.ts";
import { openTwin, type Twin } from "./twin/twin.ts";

/** What no crash takes back: times of readings by device and property. */
interface World {
  /** newest whose append has resolved, or that a checkpoint held when it was on disk */
  readonly owed: Map<string, number>;
  /** newest that was ever read */
  readonly newest: Map<string, number>;
  time: number;
}
const raise = (map: Map<string, number>, key: string, time: number) => map.set(key, Math.max(map.get(key) ?? 0, time));

const uids = [1, 2, 3].map((n) => String(n).padStart(32, "0") as DeviceUid);
const names = ["speed", "level", "local"];

function nextBatch(random: SimRandom, world: World): { batch: ReadingBatch; times: Map<string, number> } {
  const device = random.pick(uids);
  const layout = {
    id: 0,
    device,
    properties: layoutOrder(names.map((name) => ({ name, type: "float64" as const }))),
  };
  // Some readings are late: they must not push a newer one out.
  world.time += random.between(1, 5);
  const base = world.time;
  const times = new Map<string, number>();
  const samples = names
    .filter(() => random.chance(0.7))
    .map((property) => {
      const time = (random.chance(0.2) ? Math.max(1, base - random.between(0, 50)) : base) as Micros;
      times.set(`${device}/${property}`, time);
      return { property, time, value: time, quality: "good" as const, reason: null };
    });
  return { batch: batchFromSamples({ layout, samples }).batch, times };
}

/** Without the readings that stay at the gateway. */
function forCloud(batch: ReadingBatch, times: Map<string, number>): ReadingBatch {
  const { device } = batch.layout;
  const samples = names
    .filter((name) => name !== "local" && times.has(`${device}/${name}`))
    .map((property) => {
      const time = times.get(`${device}/${property}`)! as Micros;
      return { property, time, value: time, quality: "good" as const, reason: null };
    });
  return batchFromSamples({ layout: batch.layout, samples }).batch;
}

async function life(options: { disk: SimDisk; random: SimRandom; clock: SimClock; world: World }): Promise<void> {
  const { disk, random, clock, world } = options;
  const { files } = disk;
  const metrics = metricsRegistry();
  const parts = { files, clock, random, log: silentLog, metrics };
  const outbox = await openOutbox({
    ...{ ...parts, folder: "/data/outbox", bounds: { bytes: 1e9, ageMs: 1e9 }, policy: "refuse" },
    segmentBytes: random.between(300, 3000),
    cacheBytes: random.pick([0, 500, 1e6]),
    cursors: ["link", "twin"],
  });
  const twin = await openTwin({
    ...{ ...parts, folder: "/data/twin", checkpointEveryMs: 1000 },
    access: {
      write: () => Promise.reject(new Error()),
      read: () => Promise.reject(new Error()),
      call: () => Promise.reject(new Error()),
    },
    lookup: () => null,
    machine: { boot: "1", isTimeTrusted: true },
    accepted: {
      position: () => ({ epoch: outbox.bounds().epoch, seq: outbox.bounds().highest }),
      read: (from) => outbox.readFor("twin", from, 400),
      pass: (seq) => outbox.pass("twin", [[1, seq]]),
    },
  });
  for (const [key, time] of world.owed) {
    const [device, property] = key.split("/") as [DeviceUid, string];
    const found = twin.reported(device).get(property);
    assert.ok(found !== undefined && found.time >= time, `${key} is at ${found?.time}, want ${time} or later`);
    assert.ok(found.time <= world.newest.get(key)! && found.value === found.time, `${key} was never read so`);
  }
  const checkpoints = metrics.counter("penstock_twin_checkpoints_total", "Checkpoints of reported values written");
  let seen = 0;
  let local = new Map<string, number>();
  for (let turn = 0; turn < 30; turn++) {
    const { batch, times } = nextBatch(random, world);
    for (const [key, time] of times) raise(world.newest, key, time);
    await twin.consumer.take(batch);
    const cloud = forCloud(batch, times);
    const appended = outbox.append(cloud).then(() => {
      for (const [key, time] of times) if (!key.endsWith("/local")) raise(world.owed, key, time);
    });
    if (random.chance(0.5)) await appended;
    if (random.chance(0.5)) outbox.acknowledge([[1, outbox.bounds().highest]]);
    if (random.chance(0.05)) await outbox.newEpoch([]);
    await clock.advanceAsync(random.between(0, 400));
    if (checkpoints.value === seen) continue;
    // The one that has just ended began after the one before had ended.
    for (const [key, time] of local) raise(world.owed, key, time);
    seen = checkpoints.value;
    local = localsOf(twin);
  }
  const atClose = localsOf(twin);
  await twin.close();
  for (const [key, time] of atClose) raise(world.owed, key, time);
  await outbox.close();
}

/** Only a checkpoint has these. */
function localsOf(twin: Twin): Map<string, number> {
  const times = new Map<string, number>();
  for (const device of uids) {
    const time = twin.reported(device).get("local")?.time;
    if (time !== undefined) times.set(`${device}/local`, time);
  }
  return times;
}

async function play(seed: number): Promise<{ crashes: number; owed: number }> {
  const random = new SimRandom(seed);
  const clock = new SimClock();
  const world: World = { owed: new Map(), newest: new Map(), time: 1 };
  let left = 0;
  let struck = () => {};
  let crashes = 0;
  const disk = simDisk({
    random: random.fork(),
    step: async () => {
      // Now and then so long that readings are taken and accepted while a checkpoint is being written.
      if (random.chance(0.05)) for (let turns = 4; turns > 0; turns--) await settle();
      if (--left !== 0) return;
      crashes++;
      if (random.chance(0.7)) disk.crash();
      else disk.kill();
      struck();
    },
  });
  for (let lives = 0; lives < 6; lives++) {
    left = random.between(1, 250);
    const crash = new Promise<void>((resolve) => {
      struck = resolve;
    });
    await Promise.race([life({ disk, random, clock, world }), crash]);
  }
  left = 0;
  disk.kill();
  await life({ disk, random, clock, world });
  return { crashes, owed: world.owed.size };
}

test("after a crash between any two steps no reported value is older than what was accepted or in a checkpoint", async () => {
  let crashes = 0;
  let owed = 0;
  for (let seed = 1; seed <= 25; seed++) {
    try {
      const played = await play(seed);
      crashes += played.crashes;
      owed += played.owed;
    } catch (error) {
      throw new Error(`Seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  assert.ok(crashes > 75, `only ${crashes} crashes struck`);
  assert.ok(owed > 150, `only ${owed} values were owed`);
});
