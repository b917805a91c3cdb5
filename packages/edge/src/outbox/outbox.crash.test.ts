import assert from "node:assert/strict";
import { test } from "node:test";
import { addRange, holds, type OutboxEntry, type Ranges } from "@penstock/model";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, type SimDisk, SimRandom, simDisk } from "@penstock/testkit";
import { openOutbox } from "./outbox.ts";
import { bodyText, testBatch } from "./outbox-fixture.ts";
import type { SegmentOutbox } from "./outbox-options.ts";

const folder = "/data/outbox";

/** What the world outside has seen, which no crash takes back. */
interface World {
  /** firstSeq → body, of every append that resolved and every entry that a reader was shown */
  readonly seen: Map<number, string>;
  resolved: Map<number, number>;
  acknowledged: Ranges;
  /** by the second cursor */
  twinPassed: number;
  next: number;
}

async function life(options: { disk: SimDisk; random: SimRandom; clock: SimClock; world: World }): Promise<void> {
  const { disk, random, clock, world } = options;
  const outbox: SegmentOutbox = await openOutbox({
    files: disk.files,
    folder,
    clock,
    random,
    log: silentLog,
    metrics: metricsRegistry(),
    bounds: { bytes: 1e9, ageMs: 1e9 },
    policy: "refuse",
    segmentBytes: random.between(300, 5000),
    cacheBytes: random.pick([0, 500, 1e6]),
    cursors: ["link", "twin"],
  });
  await checkRead(outbox, world);
  const work: Promise<unknown>[] = [];
  for (let turn = 0; turn < 12; turn++) {
    for (let k = random.between(1, 4); k > 0; k--) {
      const batch = testBatch({ device: random.between(1, 3), shape: random.between(1, 2), number: world.next++ });
      if (random.chance(0.1)) disk.failNext("sync", "segment", random.pick(["ENOSPC", "EIO"]));
      if (random.chance(0.05)) disk.failNext("append", "segment", random.pick(["ENOSPC", "EIO"]));
      const appended = outbox.append(batch).then(
        ({ firstSeq }) => {
          see(world, firstSeq, bodyText(batch));
          world.resolved.set(firstSeq, batch.count);
        },
        (error: { code: string }) => assert.match(error.code, /^outbox\/(disk-full|write-failed)$/),
      );
      work.push(appended);
      if (random.chance(0.5)) await appended;
    }
    if (random.chance(0.3)) {
      const { highest, lowest } = outbox.bounds();
      const entries = await outbox.read(random.between(lowest, highest + 1), 400);
      for (const entry of entries) {
        if (random.chance(0.3)) continue;
        const range = [entry.firstSeq, entry.firstSeq + entry.count - 1] as const;
        outbox.acknowledge([range]);
        world.acknowledged = addRange(world.acknowledged, ...range);
      }
    }
    if (random.chance(0.3)) {
      world.twinPassed = random.between(world.twinPassed, Math.max(world.twinPassed, outbox.bounds().highest));
      outbox.pass("twin", [[1, world.twinPassed]]);
    }
    if (random.chance(0.05)) await outbox.newEpoch(world.acknowledged);
    await clock.advanceAsync(random.between(0, 300));
  }
  await Promise.all(work);
  await checkRead(outbox, world);
  await outbox.close();
}

function see(world: World, seq: number, body: string): void {
  const before = world.seen.get(seq);
  assert.ok(before === undefined || before === body, `seq ${seq} was given to two batches`);
  world.seen.set(seq, body);
}

async function checkRead(outbox: SegmentOutbox, world: World): Promise<void> {
  const { highest } = outbox.bounds();
  const ofLink = await readAll((from) => outbox.read(from, 300), world);
  const ofTwin = await readAll((from) => outbox.readFor("twin", from, 300), world);
  for (const [seq, count] of world.resolved) {
    const last = seq + count - 1;
    const isOwed = !holds(world.acknowledged, seq, last);
    if (isOwed) assert.ok(ofLink.has(seq), `append at seq ${seq} resolved and is gone; highest ${highest}`);
    if (last > world.twinPassed) assert.ok(ofTwin.has(seq), `seq ${seq} is gone before the twin passed it`);
  }
  assert.equal(outbox.bounds().highest, highest);
}

async function readAll(
  read: (from: number) => Promise<readonly OutboxEntry[]>,
  world: World,
): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  let from = 1;
  while (true) {
    const entries = await read(from);
    if (entries.length === 0) return found;
    for (const entry of entries) {
      assert.ok(entry.firstSeq >= from, "entries come in order");
      see(world, entry.firstSeq, bodyText(entry));
      found.add(entry.firstSeq);
      from = entry.firstSeq + entry.count;
    }
  }
}

async function play(seed: number): Promise<{ crashes: number; resolved: number }> {
  const random = new SimRandom(seed);
  const clock = new SimClock();
  const world: World = { seen: new Map(), resolved: new Map(), acknowledged: [], twinPassed: 0, next: 1 };
  let left = 0;
  let struck = () => {};
  let crashes = 0;
  const disk = simDisk({
    random: random.fork(),
    step: async () => {
      // Some operations take a turn longer, so that those under way at the same time end in any order.
      for (let turns = random.between(0, 2); turns > 0; turns--) await Promise.resolve();
      if (--left !== 0) return;
      crashes++;
      if (random.chance(0.7)) disk.crash();
      else disk.kill();
      struck();
    },
  });
  for (let lives = 0; lives < 8; lives++) {
    // Forgets the faults that have not struck: they are meant for appends, not for the next start.
    disk.kill();
    left = random.between(1, 150);
    const crash = new Promise<void>((resolve) => {
      struck = resolve;
    });
    await Promise.race([life({ disk, random, clock, world }), crash]);
  }
  left = 0;
  disk.kill();
  await life({ disk, random, clock, world });
  return { crashes, resolved: world.resolved.size };
}

test("outbox.append() that resolved survives a crash between any two steps, in order, and no seq is given twice", async () => {
  let crashes = 0;
  let resolved = 0;
  for (let seed = 1; seed <= 150; seed++) {
    try {
      const played = await play(seed);
      crashes += played.crashes;
      resolved += played.resolved;
    } catch (error) {
      throw new Error(`Seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  assert.ok(crashes > 500, `only ${crashes} crashes struck`);
  assert.ok(resolved > 5000, `only ${resolved} appends resolved`);
});
