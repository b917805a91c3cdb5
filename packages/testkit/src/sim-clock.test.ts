import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep } from "@penstock/runtime";
import fc from "fast-check";
import { SimClock, simStart } from "./sim-clock.ts";
import { SimQueue } from "./sim-queue.ts";

test("SimClock.advance() runs timers by time, equal ones in the order they were set, and those set meanwhile", () => {
  const clock = new SimClock();
  const seen: string[] = [];
  clock.after(20, () => seen.push("c"));
  clock.after(10, () => {
    seen.push("a");
    clock.after(5, () => seen.push("between"));
  });
  clock.after(10, () => seen.push("b"));
  clock.after(15, () => seen.push("never"))();
  clock.after(21, () => seen.push("later"));
  clock.advance(20);
  assert.deepEqual(seen, ["a", "b", "between", "c"]);
  assert.equal(clock.now(), simStart + 20_000);
  clock.runUntil(() => seen.length === 5);
  assert.equal(clock.monotonic(), 1_000_000 + 21_000);
  assert.throws(() => clock.runUntil(() => false), /not met after 0 steps/);
});

test("SimClock.jumpWall() moves the wall alone; now() waits rather than go back", () => {
  const clock = new SimClock();
  let fired = 0;
  clock.after(1000, () => fired++);
  const start = clock.now();
  clock.jumpWall(60_000);
  assert.equal(clock.now(), start + 60_000_000);
  assert.equal(clock.monotonic(), 1_000_000);
  clock.jumpWall(-120_000);
  clock.advance(999);
  assert.equal(fired, 0);
  assert.equal(clock.now(), start + 60_000_000);
  assert.equal(clock.wall(), start - 60_000_000 + 999_000);
  clock.advance(1);
  assert.equal(fired, 1);
});

test("SimClock.advanceAsync() lets code that awaits go on in the same call", async () => {
  const clock = new SimClock();
  const times: number[] = [];
  const loop = (async () => {
    for (let i = 0; i < 3; i++) {
      await sleep(clock, 100);
      times.push(clock.monotonic());
    }
  })();
  await clock.advanceAsync(1000);
  await loop;
  assert.deepEqual(times, [1_100_000, 1_200_000, 1_300_000]);
});

test("SimQueue gives events by time, then by making, whatever is cancelled", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ at: fc.nat(20), cancel: fc.boolean() })), (plan) => {
      const queue = new SimQueue();
      const events = plan.map(({ at }) => queue.push(at, () => {}));
      for (const [i, { cancel }] of plan.entries()) events[i]!.cancelled = cancel;
      const expected = events.filter((event) => !event.cancelled).sort((a, b) => a.at - b.at || a.order - b.order);
      const seen = [];
      for (let event = queue.pop(); event !== undefined; event = queue.pop()) seen.push(event);
      assert.deepEqual(seen, expected);
    }),
  );
});
