import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { sleep } from "@penstock/runtime";
import { SimClock } from "@penstock/testkit";
import { coalesced } from "./coalesced.ts";

test("the first call runs at once, those that follow share one run after the pause, also when one fails", async () => {
  const clock = new SimClock();
  let runs = 0;
  const push = coalesced(
    async () => {
      if (++runs === 2) throw new Error("away");
    },
    () => sleep(clock, 100),
  );
  await push();
  const shared = [push(), push()];
  const outcomes = Promise.allSettled(shared);
  await turn();
  await clock.advance(99);
  assert.equal(runs, 1);
  await clock.advance(1);
  await outcomes;
  assert.equal(runs, 2);
  const third = push();
  await turn();
  assert.equal(runs, 2);
  await clock.advance(100);
  await third;
  assert.equal(runs, 3);
});
