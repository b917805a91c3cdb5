import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type DesiredValue } from "@penstock/model";
import { SimClock, SimRandom, simDisk } from "@penstock/testkit";
import { machine, openSite, Plant, uid } from "./test-plant.ts";

/** Time passes between any two looks at it, as it does for real. */
class RunningClock extends SimClock {
  #looks = 0;

  override monotonic(): number {
    return super.monotonic() + 400 * this.#looks++;
  }
}

// They failed in one round trip; were they due again a moment apart, they would go in several.
test("values whose round trip failed go together again", async () => {
  const names = ["a", "b", "c", "d", "e"];
  const clock = new RunningClock();
  const plant = new Plant(clock);
  plant.trouble = new AppError("mapper/stopped", "The mapper is being started");
  const find = () => machine({ properties: names });
  const site = await openSite(simDisk({ random: new SimRandom(1) }).files, { find, clock, plant });
  const values = names.map(
    (property): DesiredValue => ({ device: uid, property, type: "float64", value: 1, version: 1, ttlMs: 60_000 }),
  );
  const taken = site.twin.takeDesired(values);
  await site.turns(100);
  await taken;
  plant.trouble = null;
  await site.turns(2000);
  assert.deepEqual(plant.writes, ["a=1 b=1 c=1 d=1 e=1"]);
  await site.close();
});
