import assert from "node:assert/strict";
import { test } from "node:test";
import type { BootId, OutboxEntry, ReadingBatch } from "@penstock/model";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, type SimDisk, SimRandom, settle, simDisk } from "@penstock/testkit";
import { openOutbox } from "./outbox.ts";
import { bodyText, testBatch } from "./outbox-fixture.ts";
import type { OutboxOptions, SegmentOutbox } from "./outbox-options.ts";

const folder = "/data/outbox";
const all = 1e9;

function bench(seed = 1) {
  const random = new SimRandom(seed);
  const disk = simDisk({ random });
  const clock = new SimClock();
  const open = (changes: Partial<OutboxOptions> = {}) =>
    openOutbox({
      files: disk.files,
      folder,
      clock,
      random,
      log: silentLog,
      metrics: metricsRegistry(),
      bounds: { bytes: 1e9, ageMs: 1e9 },
      policy: "refuse",
      ...changes,
    });
  return { disk, clock, open };
}

/** Batches of 3 readings; the i-th is number i. */
async function fill(outbox: SegmentOutbox, from: number, to: number): Promise<ReadingBatch[]> {
  const batches = Array.from({ length: to - from + 1 }, (_, k) => testBatch({ number: from + k }));
  for (const batch of batches) await outbox.append(batch);
  return batches;
}
const seqs = (entries: readonly OutboxEntry[]) => entries.map((entry) => entry.firstSeq);
const segmentsOf = async (disk: SimDisk) => (await disk.files.list(folder)).filter((name) => name.endsWith(".segment"));

test("outbox.append() numbers readings, shares one sync among appends that wait, and tells readers after it", async () => {
  const { disk, open } = bench();
  const told: unknown[] = [];
  const outbox = await open({ onAccepted: ({ firstSeq }) => told.push(`accepted ${firstSeq}`) });
  outbox.onDurable((highest) => told.push(`durable ${highest}`));
  const before = disk.counts.get("sync")!;
  const places = await Promise.all([1, 2, 3].map((number) => outbox.append(testBatch({ number }))));
  assert.deepEqual(
    places.map((place) => place.firstSeq),
    [1, 4, 7],
  );
  // One for the new segment's head, one for the three.
  assert.equal(disk.counts.get("sync")! - before, 2);
  assert.deepEqual(told, ["accepted 1", "accepted 4", "accepted 7", "durable 9"]);
  const { epoch, ...rest } = outbox.bounds();
  assert.match(epoch, /^[0-9a-f]{32}$/);
  assert.deepEqual(rest, { lowest: 1, highest: 9, recovered: 0, agreed: true, settled: [] });
  await outbox.close();
});

for (const cacheBytes of [0, 300, 1e6]) {
  test(`outbox.read() gives every entry in order from any seq, with ${cacheBytes} bytes of memory`, async () => {
    const { open } = bench();
    const outbox = await open({ cacheBytes, segmentBytes: 700 });
    const batches = await fill(outbox, 1, 40);
    for (const from of [1, 2, 3, 4, 50, 118, 120]) {
      const entries = await outbox.read(from, all);
      const first = Math.floor((from - 1) / 3);
      assert.deepEqual(entries.map(bodyText), batches.slice(first).map(bodyText));
    }
    assert.deepEqual(await outbox.read(121, all), []);
    assert.equal((await outbox.read(1, 1)).length, 1);
    const body = (await outbox.read(1, 1))[0]!.body.length;
    assert.deepEqual(seqs(await outbox.read(1, body * 3 + 1)), [1, 4, 7]);
    // Going on where the last read ended, as a backlog does.
    const walked: number[] = [];
    for (let from = 1; ; ) {
      const entries = await outbox.read(from, 400);
      if (entries.length === 0) break;
      walked.push(...seqs(entries));
      from = entries.at(-1)!.firstSeq + entries.at(-1)!.count;
    }
    assert.deepEqual(
      walked,
      batches.map((_, k) => 1 + 3 * k),
    );
    await outbox.close();
  });
}

test("outbox.acknowledge() removes whole segments, those in the middle too, and the rest survives a restart", async () => {
  const { disk, clock, open } = bench();
  const outbox = await open({ segmentBytes: 700, cacheBytes: 0 });
  const batches = await fill(outbox, 1, 40);
  const before = (await segmentsOf(disk)).length;
  outbox.acknowledge([[31, 90]]);
  await clock.advanceAsync(1000);
  assert.ok((await segmentsOf(disk)).length < before);
  const kept = [...batches.slice(0, 10), ...batches.slice(30)].map(bodyText);
  assert.deepEqual((await outbox.read(1, all)).map(bodyText), kept);
  assert.equal(outbox.stats().readings, 60);
  assert.equal(outbox.stats().entries, 20);
  disk.crash();
  const again = await open();
  assert.deepEqual((await again.read(1, all)).map(bodyText), kept);
  again.acknowledge([[1, 30]]);
  assert.equal(again.bounds().lowest, 91);
  // A cloud that speaks of what was never sent must not make the future count as sent.
  again.acknowledge([[1, 5000]]);
  assert.equal(again.bounds().lowest, 121);
  assert.equal((await again.append(testBatch({ number: 41 }))).firstSeq, 121);
  assert.deepEqual(seqs(await again.read(1, all)), [121]);
  await again.close();
});

test("outbox gives no seq again after everything was acknowledged and removed", async () => {
  const { disk, clock, open } = bench();
  for (let round = 0; round < 3; round++) {
    const outbox = await open({ segmentBytes: 400 });
    assert.equal(outbox.bounds().highest, round * 30);
    await fill(outbox, 1, 10);
    outbox.acknowledge([[1, (round + 1) * 30]]);
    await clock.advanceAsync(1000);
    assert.equal(outbox.stats().readings, 0);
    assert.ok((await segmentsOf(disk)).length <= 1);
    await outbox.close();
  }
});

test("outbox entries keep their layouts when older segments are gone, and a new shape gets a new number", async () => {
  const { disk, clock, open } = bench();
  const outbox = await open({ segmentBytes: 300, cacheBytes: 0 });
  await fill(outbox, 1, 10);
  await outbox.append(testBatch({ number: 11, shape: 2 }));
  outbox.acknowledge([[1, 27]]);
  await clock.advanceAsync(1000);
  disk.crash();
  const again = await open({ cacheBytes: 0 });
  await again.append(testBatch({ number: 12, shape: 3 }));
  await again.append(testBatch({ number: 13 }));
  const entries = await again.read(1, all);
  assert.deepEqual(
    entries.map((entry) => [entry.firstSeq, entry.layout.id, entry.layout.properties[0]!.name]),
    [
      [28, 1, "p1-0"],
      [31, 2, "p2-0"],
      [35, 3, "p3-0"],
      [40, 1, "p1-0"],
    ],
  );
  await again.close();
});

test('outbox with policy "refuse" refuses at its bound, counts it, and takes again when there is room', async () => {
  const { clock, open } = bench();
  const outbox = await open({ bounds: { bytes: 8000, ageMs: 1e9 } });
  let taken = 0;
  const full = { code: "outbox/full" };
  await assert.rejects(async () => {
    for (; ; taken += 3) await outbox.append(testBatch({ number: taken }));
  }, full);
  const stats = outbox.stats();
  assert.ok(stats.bytes <= 8000 && stats.bytes > 7500, `${stats.bytes} bytes`);
  assert.deepEqual([stats.full, stats.refused, stats.dropped, stats.readings], [true, 3, 0, taken]);
  outbox.acknowledge([[1, taken / 2]]);
  await clock.advanceAsync(1000);
  assert.equal((await outbox.append(testBatch({ number: 1 }))).firstSeq, taken + 1);
  assert.equal(outbox.stats().full, false);
  await outbox.close();
});

test('outbox with policy "drop-oldest" makes room, and counts what it dropped across restarts', async () => {
  const { disk, open } = bench();
  const options = { bounds: { bytes: 8000, ageMs: 1e9 }, policy: "drop-oldest" } as const;
  const outbox = await open(options);
  await fill(outbox, 1, 200);
  const { lowest, highest } = outbox.bounds();
  assert.ok(lowest > 1);
  assert.equal(highest, 600);
  assert.equal(outbox.stats().dropped, lowest - 1);
  assert.equal(outbox.stats().readings, 600 - lowest + 1);
  assert.equal(outbox.stats().full, true);
  assert.ok(outbox.stats().bytes <= 8000);
  disk.crash();
  const again = await open(options);
  assert.equal(again.stats().dropped, lowest - 1);
  assert.equal((await again.read(1, all))[0]!.firstSeq, lowest);
  await again.close();
});

test("outbox drops what is older than its age, and a wall clock that jumps makes nothing old", async () => {
  const { clock, open } = bench();
  const options = { bounds: { bytes: 1e9, ageMs: 60_000 } };
  const outbox = await open(options);
  await fill(outbox, 1, 2);
  clock.jumpWall(50 * 365 * 86_400_000);
  await clock.advanceAsync(30_000);
  await fill(outbox, 3, 4);
  assert.equal(outbox.stats().readings, 12);
  await clock.advanceAsync(40_000);
  assert.deepEqual([outbox.stats().dropped, outbox.bounds().lowest], [6, 7]);
  assert.ok(outbox.stats().oldestAgeMs >= 40_000);
  await outbox.close();
  // The time while the gateway was off counts.
  await clock.advanceAsync(30_000);
  const again = await open(options);
  assert.equal(again.stats().dropped, 12);
  await again.close();
});

test("outbox keeps batches of an untrusted clock as they are, and does not call them old after a restart", async () => {
  const { clock, open } = bench();
  const options = { bounds: { bytes: 1e9, ageMs: 60_000 } };
  const outbox = await open(options);
  const uncertain = { ...testBatch({ number: 1 }), clock: { boot: "b".repeat(32) as BootId, monotonic: 5 } };
  await outbox.append(uncertain);
  await outbox.close();
  clock.jumpWall(50 * 365 * 86_400_000);
  const again = await open(options);
  assert.deepEqual((await again.read(1, all)).map(bodyText), [bodyText(uncertain)]);
  assert.equal(again.stats().dropped, 0);
  await again.close();
});

test("outbox.append() on a full disk rejects, leaves nothing half written, and goes on when room returns", async () => {
  const { disk, open } = bench();
  const outbox = await open();
  await fill(outbox, 1, 3);
  disk.capacity = disk.used + 20;
  await assert.rejects(outbox.append(testBatch({ number: 4 })), { code: "outbox/disk-full" });
  assert.equal(outbox.stats().diskFull, true);
  assert.deepEqual([outbox.stats().refused, outbox.stats().full], [3, true]);
  disk.capacity = Number.POSITIVE_INFINITY;
  assert.equal((await outbox.append(testBatch({ number: 5 }))).firstSeq, 10);
  assert.deepEqual([outbox.stats().full, outbox.stats().diskFull], [false, false]);
  disk.crash();
  // A disk that is full at the start keeps no gateway from emptying its outbox.
  disk.capacity = disk.used;
  const again = await open();
  assert.deepEqual(seqs(await again.read(1, all)), [1, 4, 7, 10]);
  await assert.rejects(again.append(testBatch({ number: 6 })), { code: "outbox/disk-full" });
  disk.capacity = Number.POSITIVE_INFINITY;
  assert.equal((await again.append(testBatch({ number: 7 }))).firstSeq, 13);
  await again.close();
});

test("outbox.append() writes to a new segment after a failed sync, and never trusts a second sync of the old one", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { disk, open } = bench(seed);
    const outbox = await open();
    await fill(outbox, 1, 3);
    disk.failNext("sync", "segment", "EIO");
    const batches = await fill(outbox, 4, 6);
    assert.equal((await segmentsOf(disk)).length, 2);
    disk.crash();
    const again = await open();
    assert.deepEqual((await again.read(10, all)).map(bodyText), batches.map(bodyText));
    await again.close();
  }
});

test("outbox.append() rejects with outbox/write-failed when the new segment fails too, and takes the next", async () => {
  const { disk, open } = bench();
  const outbox = await open();
  await fill(outbox, 1, 1);
  disk.failNext("sync", "000001.segment", "EIO");
  disk.failNext("sync", "000002.segment", "EIO");
  await assert.rejects(outbox.append(testBatch({ number: 2 })), { code: "outbox/write-failed" });
  assert.equal(outbox.stats().refused, 3);
  assert.equal((await outbox.append(testBatch({ number: 3 }))).firstSeq, 4);
  disk.crash();
  const again = await open();
  assert.deepEqual(
    (await again.read(1, all)).map(bodyText),
    [1, 3].map((number) => bodyText(testBatch({ number }))),
  );
  await again.close();
});

test("openOutbox() cuts garbage after the tail, and refuses a segment that is damaged in the middle", async () => {
  const { disk, open } = bench();
  const outbox = await open({ segmentBytes: 400 });
  await fill(outbox, 1, 20);
  await outbox.close();
  const names = (await segmentsOf(disk)).sort();
  const last = await disk.files.openAppend(`${folder}/${names.at(-1)}`);
  await last.append(new Uint8Array(50).fill(7));
  const again = await open();
  assert.equal((await again.read(1, all)).length, 20);
  await again.close();
  disk.flip(`${folder}/${names[2]}`, 200);
  await assert.rejects(open(), (error: { code: string; message: string }) => {
    assert.equal(error.code, "outbox/corrupt");
    assert.match(error.message, new RegExp(`${names[2]}.*checksum differs, readings \\d+ to \\d+ are behind it`));
    return true;
  });
});

test("outbox.newEpoch() passes what the cloud holds of the recovered, and offers the rest with the same seq", async () => {
  const { disk, open } = bench();
  const outbox = await open();
  await fill(outbox, 1, 4);
  await outbox.close();
  const restored = await open();
  const before = restored.bounds().epoch;
  assert.deepEqual(restored.bounds().settled, []);
  await fill(restored, 5, 6);
  // 13 to 18 are other readings in the cloud: those that this gateway had before its disk was put back.
  const epoch = await restored.newEpoch([
    [1, 3],
    [7, 18],
  ]);
  assert.notEqual(epoch, before);
  assert.deepEqual(seqs(await restored.read(1, all)), [4, 13, 16]);
  assert.equal((await restored.append(testBatch({ number: 7 }))).epoch, epoch);
  disk.crash();
  const again = await open();
  assert.equal(again.bounds().epoch, epoch);
  const settled = [
    [1, 3],
    [7, 12],
  ];
  assert.deepEqual(again.bounds().settled, settled, "and the cloud is told with every hello that these are no gap");
  // What the new epoch does not offer must stay unoffered: the cloud holds it under the old one.
  assert.deepEqual(seqs(await again.read(1, all)), [4, 13, 16, 19]);
  await again.close();
});

test("outbox.bounds() keeps what a disk that was put back came with, through restarts, until the cloud agrees", async () => {
  const { disk, open } = bench();
  const outbox = await open();
  await fill(outbox, 1, 2);
  const copy = disk.copy();
  await fill(outbox, 3, 6);
  disk.restore(copy);
  for (let start = 0; start < 3; start++) {
    const again = await open();
    // Each start finds more readings under numbers that the cloud knows from before.
    await fill(again, 10 + start, 10 + start);
    const { highest, recovered, agreed } = again.bounds();
    assert.deepEqual({ highest, recovered, agreed }, { highest: 9 + start * 3, recovered: 6, agreed: false });
    if (start === 1) await again.close();
    else disk.crash();
  }
  const last = await open();
  await last.agree();
  assert.equal(last.bounds().agreed, true);
  disk.crash();
  const after = await open();
  const { recovered, agreed } = after.bounds();
  assert.deepEqual({ recovered, agreed }, { recovered: 15, agreed: false });
  await after.newEpoch([]);
  await fill(after, 20, 20);
  assert.equal(after.bounds().agreed, true, "nobody has heard of the new epoch");
  disk.crash();
  const end = await open();
  assert.equal(end.bounds().recovered, 18);
  await end.close();
});

test("an outbox entry leaves when every cursor has passed it", async () => {
  const { disk, clock, open } = bench();
  const outbox = await open({ cursors: ["link", "rules"], segmentBytes: 400 });
  await fill(outbox, 1, 20);
  const before = (await segmentsOf(disk)).length;
  outbox.acknowledge([[1, 60]]);
  await clock.advanceAsync(1000);
  assert.equal((await segmentsOf(disk)).length, before);
  assert.deepEqual(await outbox.read(1, all), []);
  outbox.pass("rules", [[1, 60]]);
  await clock.advanceAsync(1000);
  assert.equal((await segmentsOf(disk)).length, 1);
  assert.throws(() => outbox.pass("nobody", []), { code: "internal" });
  await outbox.close();
});

test("outbox.readFor() gives a cursor what the link is done with, from memory and from disk, across a restart", async () => {
  for (const cacheBytes of [0, 4_000_000]) {
    const { open, clock } = bench();
    const options = { cursors: ["link", "twin"], segmentBytes: 400, cacheBytes };
    const outbox = await open(options);
    const batches = await fill(outbox, 1, 20);
    outbox.acknowledge([[1, 60]]);
    outbox.pass("twin", [[1, 27]]);
    await clock.advanceAsync(1000);
    assert.deepEqual(await outbox.read(1, all), []);
    const texts = (entries: readonly OutboxEntry[]) => entries.map(bodyText);
    assert.deepEqual(texts(await outbox.readFor("twin", 1, all)), batches.slice(9).map(bodyText));
    assert.deepEqual(texts(await outbox.readFor("twin", 34, all)), batches.slice(11).map(bodyText));
    await outbox.close();
    const again = await open(options);
    assert.deepEqual(texts(await again.readFor("twin", 1, all)), batches.slice(9).map(bodyText));
    assert.equal((await again.readFor("twin", 1, 1)).length, 1);
    await again.close();
  }
});

test("outbox writes its cursors at most four times a second, and at close", async () => {
  const { disk, clock, open } = bench();
  const outbox = await open();
  await fill(outbox, 1, 100);
  const before = disk.counts.get("sync")!;
  for (let seq = 1; seq <= 240; seq += 3) {
    outbox.acknowledge([[seq, seq + 2]]);
    await clock.advanceAsync(10);
  }
  const written = disk.counts.get("sync")! - before;
  assert.ok(written >= 2 && written <= 4, `${written} syncs in 0.8 s`);
  outbox.acknowledge([[241, 270]]);
  await outbox.close();
  disk.crash();
  const again = await open();
  assert.equal(again.bounds().lowest, 271);
  await again.close();
});

test("outbox.close() waits for the appends under way and refuses later ones", async () => {
  const { open } = bench();
  const outbox = await open();
  const appended = outbox.append(testBatch({ number: 1 }));
  await outbox.close();
  assert.equal((await appended).firstSeq, 1);
  await assert.rejects(outbox.append(testBatch({ number: 2 })), { code: "aborted" });
});

test("a listener of the outbox that throws makes no append fail, and none is written twice", async () => {
  const { open } = bench();
  const outbox = await open({
    onAccepted: () => {
      throw new Error("no");
    },
  });
  await fill(outbox, 1, 3);
  await settle();
  assert.deepEqual(seqs(await outbox.read(1, all)), [1, 4, 7]);
  await outbox.close();
});

test("outbox.append() refuses a layout that would not be read back, and goes on", async () => {
  const { open } = bench();
  const outbox = await open();
  const batch = testBatch({ number: 1 });
  const layout = { ...batch.layout, properties: batch.layout.properties.toReversed() };
  await assert.rejects(outbox.append({ ...batch, layout }), { code: "link/bad-frame" });
  await fill(outbox, 1, 1);
  await outbox.close();
  const again = await open();
  assert.deepEqual(seqs(await again.read(1, all)), [1]);
  await again.close();
});

test("outbox keeps the segment that took over from a failed one until the failed one has gone", async () => {
  const { disk, clock, open } = bench();
  // The two small ones share a segment; each large one fills one.
  const outbox = await open({ segmentBytes: 500 });
  await fill(outbox, 1, 2);
  assert.deepEqual(await segmentsOf(disk), ["000000000001.segment"]);
  disk.failNext("sync", "segment", "ENOSPC");
  // Readings 7 to 46: refused, but whole in the first segment's file.
  await assert.rejects(outbox.append(testBatch({ number: 3, rows: 40 })), { code: "outbox/disk-full" });
  for (const number of [4, 5, 6]) await outbox.append(testBatch({ number, rows: 30 }));
  outbox.acknowledge([[7, 36]]);
  await clock.advanceAsync(1000);
  disk.kill();
  const again = await open();
  assert.deepEqual(seqs(await again.read(1, all)), [1, 4, 37, 67]);
  again.acknowledge([[1, 96]]);
  await clock.advanceAsync(1000);
  assert.equal((await segmentsOf(disk)).length, 1);
  await again.close();
});
