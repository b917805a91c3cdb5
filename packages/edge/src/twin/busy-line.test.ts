import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type DesiredValue, type DeviceUid, type DeviceWrite } from "@penstock/model";
import { sleep } from "@penstock/runtime";
import { SimClock, SimRandom, simDisk } from "@penstock/testkit";
import { machine, openSite, Plant, uid } from "./test-plant.ts";

/** A write waits for its turn as long as its signal lets, as collect/device-access.ts does. */
class PlantOnLine extends Plant {
  readonly #clock: SimClock;

  constructor(clock: SimClock) {
    super(clock);
    this.#clock = clock;
  }

  override async write(device: DeviceUid, writes: readonly DeviceWrite[], signal?: AbortSignal): Promise<null[]> {
    while (!this.isLineFree) {
      await sleep(this.#clock, 10);
      if (signal?.aborted === true) throw new AppError("aborted", "Called off", { cause: signal.reason });
    }
    return super.write(device, writes);
  }
}

// Behind a slave that does not answer, a write may wait for many seconds; its time to live goes on.
test("a write that waits for its turn is called off when its time ends, and what went with it goes again", async () => {
  const clock = new SimClock();
  const plant = new PlantOnLine(clock);
  const disk = simDisk({ random: new SimRandom(1) }).files;
  const site = await openSite(disk, { find: () => machine({}), clock, plant });
  plant.isLineFree = false;
  const desired = (property: string, ttlMs: number): DesiredValue => {
    return { device: uid, property, type: "float64", value: 1, version: 1, ttlMs };
  };
  const taken = site.twin.takeDesired([desired("speed", 1000), desired("limit", 60_000)]);
  await site.turns(3000);
  await taken;
  plant.isLineFree = true;
  await site.turns(1000);
  assert.deepEqual(plant.writes, ["limit=1"]);
  const ends = site.twin.desired(uid).map(({ property, end }) => `${property} ${end?.state}`);
  assert.deepEqual(ends, ["speed expired", "limit confirmed"]);
  await site.close();
});
