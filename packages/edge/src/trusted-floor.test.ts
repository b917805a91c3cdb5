import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "@penstock/runtime";
import { SimClock, SimRandom, simDisk } from "@penstock/testkit";
import { buildTime, keepFloor, readFloor } from "./trusted-floor.ts";

const path = "/data/time";

function site() {
  const disk = simDisk({ random: new SimRandom(1) });
  const clock = new SimClock();
  const state = { isTrusted: true };
  const keep = () => keepFloor({ files: disk.files, path, clock, isTrusted: () => state.isTrusted, log: silentLog });
  return { disk, clock, state, keep };
}

test("keepFloor() writes the trusted time every minute, and a power cut sets it back by a minute at most", async () => {
  const { disk, clock, keep } = site();
  assert.equal(await readFloor(disk.files, path), buildTime);
  const floor = keep();
  await clock.advanceAsync(3_630_000);
  disk.crash();
  const found = await readFloor(disk.files, path);
  assert.ok(clock.now() - found <= 60_000_000 && found <= clock.now(), `floor ${found}`);
  await floor.close();
});

test("keepFloor() writes down no time that is not trusted", async () => {
  const { disk, clock, state, keep } = site();
  state.isTrusted = false;
  const floor = keep();
  await clock.advanceAsync(300_000);
  assert.equal(await disk.files.exists(path), false);
  await floor.close();
});

test("keepFloor() leaves no file open however long the disk is full, and goes on when there is room", async () => {
  const { disk, clock, keep } = site();
  disk.capacity = 0;
  const floor = keep();
  await clock.advanceAsync(24 * 3_600_000);
  assert.ok(disk.counts.get("open")! > 1000);
  assert.equal(disk.counts.get("close"), disk.counts.get("open"));
  disk.capacity = Number.POSITIVE_INFINITY;
  await clock.advanceAsync(60_000);
  assert.ok((await readFloor(disk.files, path)) > buildTime);
  await floor.close();
});

test("readFloor() takes nothing below the build date and no nonsense", async () => {
  const { disk } = site();
  for (const text of ["", "0", "1e300", "next year"]) {
    const file = await disk.files.openAppend(path);
    await file.append(new TextEncoder().encode(text));
    await file.close();
    assert.equal(await readFloor(disk.files, path), buildTime, text);
    await disk.files.remove(path);
  }
});
