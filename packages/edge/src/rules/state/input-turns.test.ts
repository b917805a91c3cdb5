import assert from "node:assert/strict";
import { test } from "node:test";
import type { Micros } from "@penstock/model";
import type { SimClock } from "@penstock/testkit";
import type { Held } from "./fed-rules.ts";
import { InputTurns } from "./input-turns.ts";
import { batchOf, SlowClock } from "./state-fixture.ts";

/** Five rules that take 6 ms each; what happens is noted. */
function turnsOf(clock: SimClock = new SlowClock({ lookMicros: 6000 })) {
  const noted: string[] = [];
  let dropped = 0;
  let position = 0;
  /** called when a rule has an input */
  const self: { fed?: (what: string) => void } = {};
  const readers = ["a", "b", "c", "d", "e"].map((id) => ({ rule: { id } }) as Held);
  const turns = new InputTurns({
    clock,
    start(coming) {
      if (coming.t !== "batch") return null;
      position++;
      return { input: { ...coming, now: 0 as Micros }, position, readers };
    },
    feed({ rule }, input) {
      noted.push(`${rule.id}${input.position}`);
      self.fed?.(noted.at(-1)!);
    },
    finished: ({ position: at }) => void noted.push(`end ${at}`),
    rested: () => void noted.push("rest"),
    dropped: () => void dropped++,
  });
  return {
    ...{ clock, noted, turns, self },
    dropped: () => dropped,
    push: () => turns.push({ t: "batch", batch: batchOf(1) }),
    async rest() {
      while (turns.going !== null) await clock.advanceAsync(1);
    },
  };
}
const all = (position: number) => [..."abcde"].map((rule) => `${rule}${position}`).concat(`end ${position}`);

test("rules give way after 10 ms, and each input is finished for all of them before the next begins", async () => {
  const { noted, turns, push, rest } = turnsOf();
  turns.release();
  push();
  assert.deepEqual(noted, ["a1", "b1"]);
  push();
  push();
  assert.deepEqual(noted, ["a1", "b1"]);
  await rest();
  assert.deepEqual(noted, [...all(1), ...all(2), ...all(3), "rest"]);
});

test("what fits its turn is given at once; what a rule gives while it works comes after what it works at", () => {
  const { noted, turns, push, self } = turnsOf(new SlowClock({ lookMicros: 0 }));
  self.fed = (what) => {
    if (what === "b1") push();
  };
  push();
  assert.deepEqual(noted, [], "before rules are where they were");
  turns.release();
  assert.deepEqual(noted, [...all(1), ...all(2)]);
  turns.push({ t: "tick" });
  assert.equal(turns.going, null);
});

// A checkpoint of rules of which some have had an input and others not would be of no moment at all.
test("what is done between inputs waits until all have had the one that has begun, and the next waits for it", async () => {
  const { clock, noted, turns, push, rest } = turnsOf();
  turns.release();
  push();
  push();
  const done = turns.between(async () => {
    noted.push("begin");
    await new Promise<void>((resolve) => void clock.after(5, resolve));
    noted.push("done");
  });
  push();
  await rest();
  await done;
  assert.deepEqual(noted, [...all(1), "begin", "done", ...all(2), ...all(3), "rest"]);
  await assert.rejects(
    turns.between(async () => {
      throw new Error("No disk");
    }),
    /No disk/,
  );
  push();
  await rest();
  assert.ok(noted.includes("end 4"), "it goes on");
});

test("beyond 10,000 the oldest of what waits goes and is counted; at the end what has begun is finished, and no more", async () => {
  const { noted, turns, push, rest, dropped } = turnsOf();
  turns.release();
  for (let n = 0; n < 10_003; n++) push();
  assert.equal(dropped(), 2);
  const closed = turns.close();
  await rest();
  await closed;
  assert.deepEqual(noted, [...all(1), "rest"]);
});
