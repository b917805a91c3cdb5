import assert from "node:assert/strict";
import { test } from "node:test";
import { SimRandom, simDisk } from "@penstock/testkit";
import { type Journal, openJournal } from "./journal.ts";
import { plainCodec } from "./journal-codec.ts";

type Numbers = readonly number[];
const folder = "/data/twin";
const open = (disk: ReturnType<typeof simDisk>, logBytes = 100): Promise<Journal<Numbers, number>> =>
  openJournal<Numbers, number>({
    files: disk.files,
    folder,
    initial: [],
    apply: (state, entry) => [...state, entry],
    logBytes,
  });

test("journal.append() that resolved survives a crash between any two steps, snapshots included", async () => {
  let compactions = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const random = new SimRandom(seed);
    let left = 0;
    let struck = () => {};
    const disk = simDisk({
      random: random.fork(),
      step: async () => {
        if (--left !== 0) return;
        if (random.chance(0.7)) disk.crash();
        else disk.kill();
        struck();
      },
    });
    const resolved: number[] = [];
    let next = 1;
    const life = async () => {
      const journal = await open(disk);
      const { state } = journal;
      // In order, each resolved one there, and nothing that was never asked for.
      assert.deepEqual(
        state,
        [...state].sort((a, b) => a - b),
      );
      assert.deepEqual(
        resolved.filter((entry) => !state.includes(entry)),
        [],
        `seed ${seed}`,
      );
      const work: Promise<unknown>[] = [];
      for (let turn = 0; turn < 20; turn++) {
        const entry = next++;
        if (random.chance(0.05)) disk.failNext(random.pick(["append", "sync", "rename", "syncFolder"]), "twin", "EIO");
        const appended = journal.append(entry).then(
          () => resolved.push(entry),
          (error: { code: string }) => assert.equal(error.code, "data/write-failed"),
        );
        work.push(appended);
        if (random.chance(0.5)) await appended;
      }
      await Promise.all(work);
      await journal.close();
    };
    for (let lives = 0; lives < 6; lives++) {
      // Forgets the faults that have not struck: they are meant for appends, not for the next start.
      disk.kill();
      left = random.between(1, 80);
      const crash = new Promise<void>((resolve) => {
        struck = resolve;
      });
      await Promise.race([life(), crash]);
    }
    left = 0;
    disk.kill();
    await life();
    compactions += disk.counts.get("rename") ?? 0;
  }
  assert.ok(compactions > 2000, `${compactions} snapshots`);
});

test("journal keeps its log short, and leaves one generation behind", async () => {
  const disk = simDisk({ random: new SimRandom(1) });
  const journal = await open(disk, 50);
  for (let entry = 1; entry <= 100; entry++) await journal.append(entry);
  assert.ok(disk.used < 1000, `${disk.used} bytes`);
  assert.equal((await disk.files.list(folder)).length, 2);
  await journal.close();
  await assert.rejects(journal.append(1), { code: "aborted" });
});

test("journal on a full disk opens, rejects appends with data/disk-full and takes them again later", async () => {
  const disk = simDisk({ random: new SimRandom(1) });
  const first = await open(disk);
  await first.append(1);
  await first.close();
  disk.capacity = disk.used;
  const journal = await open(disk);
  assert.deepEqual(journal.state, [1]);
  await assert.rejects(journal.append(2), { code: "data/disk-full" });
  assert.deepEqual(journal.state, [1]);
  disk.capacity = Number.POSITIVE_INFINITY;
  await journal.append(3);
  assert.deepEqual(journal.state, [1, 3]);
  await journal.close();
});

test("openJournal() refuses a snapshot that fails its checksum, naming the file", async () => {
  const disk = simDisk({ random: new SimRandom(1) });
  const journal = await open(disk);
  await journal.close();
  const name = (await disk.files.list(folder)).find((one) => one.startsWith("snapshot"));
  disk.flip(`${folder}/${name}`, 8);
  await assert.rejects(open(disk), { code: "data/corrupt", message: new RegExp(`${name}".*checksum differs`) });
});

test("plainCodec() brings back every kind of value a state may hold", () => {
  const codec = plainCodec<unknown>();
  const value = {
    int: 9_223_372_036_854_775_807n,
    bytes: Uint8Array.of(0, 255),
    odd: [Number.NaN, Number.POSITIVE_INFINITY, -0, 0.1],
    text: 'é"\u0000',
    none: null,
    inner: { $int: "not a number", $plain: [1] },
  };
  const back = codec.decode(codec.encode(value));
  assert.deepStrictEqual(back, value);
});
