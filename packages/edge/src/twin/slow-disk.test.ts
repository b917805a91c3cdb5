import assert from "node:assert/strict";
import { test } from "node:test";
import type { DesiredValue } from "@penstock/model";
import { sleep } from "@penstock/runtime";
import { SimClock, SimRandom, simDisk } from "@penstock/testkit";
import { machine, openSite, uid } from "./test-plant.ts";

function desired(property: string, ttlMs: number): DesiredValue {
  return { device: uid, property, type: "float64", value: 1, version: 1, ttlMs };
}

/** A gateway whose next sync takes as long as is said. */
async function slowSite() {
  const clock = new SimClock();
  const disk = { nextSyncMs: 0 };
  const step = async (name: string) => {
    if (name !== "sync" || disk.nextSyncMs === 0) return;
    const ms = disk.nextSyncMs;
    disk.nextSyncMs = 0;
    await sleep(clock, ms);
  };
  const { files } = simDisk({ random: new SimRandom(1), step });
  const site = await openSite(files, { find: () => machine({}), clock });
  const states = () => site.twin.desired(uid).map(({ property, end }) => `${property} ${end?.state}`);
  return { site, disk, states };
}

// A machine that moves after its operator was told that it will not: the disk's time is time too.
test("a value whose time ended while the journal was being written is not written to the device", async () => {
  const { site, disk, states } = await slowSite();
  disk.nextSyncMs = 3000;
  const taken = site.twin.takeDesired([desired("speed", 2000)]);
  await site.turns(3200);
  await taken;
  assert.deepEqual([site.plant.writes, states()], [[], ["speed expired"]]);
  await site.close();
});

test("what a value waited for the journal of another is gone from its time to live", async () => {
  const { site, disk, states } = await slowSite();
  disk.nextSyncMs = 3000;
  const taken = [site.twin.takeDesired([desired("limit", 60_000)])];
  await site.turns(100);
  taken.push(site.twin.takeDesired([desired("speed", 2000)]));
  await site.turns(3200);
  await Promise.all(taken);
  assert.deepEqual([site.plant.writes, states()], [["limit=1"], ["limit confirmed", "speed expired"]]);
  await site.close();
});
