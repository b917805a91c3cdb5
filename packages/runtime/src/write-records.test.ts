import assert from "node:assert/strict";
import { test } from "node:test";
import { SimRandom, simDisk } from "@penstock/testkit";
import type { Files } from "./files.ts";
import { scanRecords } from "./segment-file.ts";
import { writeRecords } from "./write-records.ts";

const folder = "/data";
const bytesOf = (text: string) => new TextEncoder().encode(text);

async function textsIn(files: Files): Promise<string[]> {
  if (!(await files.exists(`${folder}/kept`))) return [];
  const file = await files.openRead(`${folder}/kept`);
  const texts: string[] = [];
  const each = (payload: Uint8Array) => texts.push(new TextDecoder().decode(payload)) > 0;
  const { damage } = await scanRecords({ file, to: await file.size(), each });
  await file.close();
  assert.equal(damage, null);
  return texts;
}

/** More than one slice. */
const many = (letter: string) => Array.from({ length: 5 }, (_, at) => `${letter}${at}${letter.repeat(30_000)}`);

test("a cut of the power at any step leaves the records of before or all of the new ones", async () => {
  let olds = 0;
  for (let last = 1; ; last++) {
    let left = Number.POSITIVE_INFINITY;
    const disk = simDisk({
      random: new SimRandom(last),
      step: async () => {
        if (--left === 0) disk.crash();
      },
    });
    const write = (letter: string) =>
      writeRecords({ files: disk.files, folder, name: "kept", records: many(letter).map(bytesOf) });
    await disk.files.makeFolder(folder);
    await disk.files.syncFolder("/");
    await write("a");
    left = last;
    const written = await Promise.race([
      write("b").then(
        () => true,
        () => false,
      ),
      new Promise<false>((resolve) => setImmediate(() => setImmediate(() => setImmediate(() => resolve(false))))),
    ]);
    left = Number.POSITIVE_INFINITY;
    disk.kill();
    const found = await textsIn(disk.files);
    if (written) {
      assert.deepEqual(found, many("b"));
      break;
    }
    assert.ok([many("a")[0], many("b")[0]].includes(found[0]), `step ${last}`);
    assert.equal(found.length, 5);
    if (found[0]!.startsWith("a")) olds++;
  }
  assert.ok(olds > 3, `only ${olds} steps struck`);
});

test("records that cannot be made, and a full disk, leave the records of before and nothing beside them", async () => {
  const disk = simDisk({ random: new SimRandom(1) });
  const { files } = disk;
  await files.makeFolder(folder);
  await writeRecords({ files, folder, name: "kept", records: [bytesOf("before")] });
  const broken = async function* () {
    yield* many("c").map(bytesOf);
    throw new Error("No more of them");
  };
  await assert.rejects(writeRecords({ files, folder, name: "kept", records: broken() }), /No more of them/);
  disk.capacity = disk.used + 70_000;
  await assert.rejects(writeRecords({ files, folder, name: "kept", records: many("d").map(bytesOf) }), {
    code: "ENOSPC",
  });
  assert.deepEqual(await textsIn(files), ["before"]);
  assert.deepEqual(await files.list(folder), ["kept"]);
});
