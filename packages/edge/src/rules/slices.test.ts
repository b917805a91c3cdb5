import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "@penstock/testkit";
import { rule, site } from "./rules-fixture.ts";

/** each look at it takes 3 ms */
class SlowClock extends SimClock {
  #looks = 0;
  override monotonic(): number {
    return super.monotonic() + 3000 * this.#looks++;
  }
}

test("many rules are planned and fed a few at a time, the last set counts, and those before run on meanwhile", async () => {
  const clock = new SlowClock();
  const { rules, apply, come, out } = site({ clock });
  const all = Array.from({ length: 20 }, (_, at) => rule(`r${at}`, "SELECT level FROM `tank-01`"));
  apply([rule("old", "SELECT level FROM `tank-01`")]);
  apply(all);
  assert.deepEqual(
    rules.status().map((one) => one.rule),
    ["old"],
  );
  apply(all.slice(0, 10));
  for (let turn = 0; turn < 40; turn++) await clock.advanceAsync(1);
  assert.equal(rules.status().length, 10);
  const taken = come({ level: 1, count: 1 });
  assert.ok(out.length < 10, String(out.length));
  for (let turn = 0; turn < 40; turn++) await clock.advanceAsync(1);
  await taken;
  assert.deepEqual(
    out.map(([topic]) => topic),
    all.slice(0, 10).map(({ name }) => name),
  );
});
