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

test("who waits for what was called for ends the pause, and waits for the run that is going on", async () => {
  const clock = new SimClock();
  let begun = 0;
  let done = 0;
  const ends: (() => void)[] = [];
  const push = coalesced(
    async () => {
      begun++;
      await new Promise<void>((end) => ends.push(end));
      done++;
    },
    () => sleep(clock, 100),
  );
  await push.settled();
  void push();
  let isSettled = false;
  const first = push.settled().then(() => {
    isSettled = true;
  });
  await turn();
  assert.equal(isSettled, false);
  ends[0]!();
  await first;
  assert.equal(done, 1);

  // In the pause.
  void push();
  await turn();
  assert.equal(begun, 1);
  const second = push.settled();
  await turn();
  assert.equal(begun, 2);

  // While it runs, for what was called for meanwhile.
  void push();
  const third = push.settled();
  ends[1]!();
  await second;
  await turn();
  assert.equal(begun, 3);
  ends[2]!();
  await third;
  assert.equal(done, 3);
});
