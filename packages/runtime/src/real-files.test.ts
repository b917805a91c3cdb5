import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { realFiles } from "./real-files.ts";
import { openWitness, readSyncWitness, syncWitness } from "./witness.ts";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(`${tmpdir()}/penstock-`);
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("realFiles() appends many parts, goes on after reopening, reads, cuts, renames and removes", () =>
  inFolder(async (folder) => {
    const files = realFiles();
    const path = `${folder}/a/b`;
    await files.makeFolder(`${folder}/a`);
    assert.deepEqual(await files.list(`${folder}/none`), []);
    const file = await files.openAppend(path);
    // More parts than one writev takes.
    const parts = Array.from({ length: 3000 }, (_, i) => Uint8Array.of(i & 0xff, i >> 8));
    await file.append(parts);
    await file.sync();
    assert.equal(file.length, 6000);
    await file.close();
    const again = await files.openAppend(path);
    assert.equal(again.length, 6000);
    await again.append(Uint8Array.of(9));
    await again.close();
    assert.deepEqual(await files.readAll(path), new Uint8Array(Buffer.concat([...parts, Uint8Array.of(9)])));
    const reader = await files.openRead(path);
    assert.deepEqual(await reader.read(5998, 100), Uint8Array.of(2999 & 0xff, 2999 >> 8, 9));
    assert.equal(await reader.size(), 6001);
    await reader.close();
    await files.truncate(path, 2);
    await files.rename(path, `${folder}/a/c`);
    await files.syncFolder(`${folder}/a`);
    assert.deepEqual(await files.list(`${folder}/a`), ["c"]);
    assert.equal(await files.exists(path), false);
    assert.equal(await files.exists(`${folder}/a/c/below`), false);
    await files.remove(`${folder}/a/c`);
    assert.equal(await files.exists(`${folder}/a/c`), false);
    assert.ok((await files.free(folder)) > 0);
    await assert.rejects(files.openRead(path), { code: "ENOENT" });
  }));

test("realFiles() tells the witness what is durable, under the name it has", () =>
  inFolder(async (folder) => {
    const witness = openWitness(`${folder}/w/synced.txt`);
    const files = realFiles({ witness: syncWitness(witness) });
    const file = await files.openAppend(`${folder}/x y`);
    await file.append(Uint8Array.of(1, 2, 3));
    await file.sync();
    await file.append(Uint8Array.of(4));
    await files.rename(`${folder}/x y`, `${folder}/z`);
    await file.close();
    witness.line("torn 1 \n7 /cut off");
    witness.close();
    const text = (await readFile(`${folder}/w/synced.txt`, "utf8")).slice(0, -1);
    const lengths = readSyncWitness(text);
    assert.equal(lengths.get(`${folder}/x y`), 3);
    assert.equal(lengths.get(`${folder}/z`), 3);
    assert.equal(lengths.has("/cut off"), false);
  }));

test("realFiles.makeFolder() makes folders that only their owner may enter", () =>
  inFolder(async (folder) => {
    await realFiles().makeFolder(`${folder}/a/b`);
    for (const path of ["a", "a/b"]) assert.equal((await stat(`${folder}/${path}`)).mode & 0o077, 0, path);
  }));
