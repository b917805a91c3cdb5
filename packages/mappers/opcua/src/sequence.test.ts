import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { after, beginSequence, distance, gone, keptAlive, mostMissing, received, type Sequence } from "./sequence.ts";

const last = 0xffff_ffff;

test("numbers run to 4,294,967,295 and begin again at 1", () => {
  assert.equal(after(1), 2);
  assert.equal(after(last), 1);
  assert.equal(distance(last, 1), 1);
  assert.equal(distance(1, last), -1);
  assert.equal(distance(5, 5), 0);
});

test("a keep-alive tells that messages were sent which did not come", () => {
  let state: Sequence<string> = beginSequence();
  assert.deepEqual(keptAlive(state, 1).missing, []);
  state = received(state, 1, "a").state;
  assert.deepEqual(keptAlive(state, 2).missing, []);
  assert.deepEqual(keptAlive(state, 4).missing, [2, 3]);
  const third = received(state, 3, "c");
  assert.deepEqual([third.deliver, third.missing], [[], [2]]);
  assert.deepEqual(received(third.state, 2, "b").deliver, ["b", "c"]);
  // the server has thrown it away
  const skipped = gone(third.state, 2);
  assert.deepEqual([skipped.deliver, skipped.lost], [["c"], 1]);
});

test("a server that leaps has begun anew, and is followed", () => {
  const state = received(beginSequence<string>(), 1, "a").state;
  const leap = received(state, 2 + mostMissing + 5, "z");
  assert.deepEqual([leap.deliver, leap.missing], [["z"], []]);
});

// A line that doubles, swaps and drops, and a server that has everything: nothing is lost, doubled or swapped.
test("however messages come, each is delivered once and in order as long as the server has it", () => {
  const acts = fc.array(
    fc.record({ number: fc.integer({ min: 1, max: 30 }), kind: fc.constantFrom("message", "alive") }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40 }), acts, (back, all) => {
      // Some runs begin just before the wrap.
      const first = after(1, -back);
      const numberOf = (i: number) => after(first, i - 1);
      let state: Sequence<number> = { next: first, held: new Map() };
      const delivered: number[] = [];
      const ask: number[] = [];
      const take = (step: ReturnType<typeof received<number>>) => {
        state = step.state;
        delivered.push(...step.deliver);
        ask.push(...step.missing);
        assert.equal(step.lost, 0);
      };
      const indexOf = (number: number) => distance(first, number) + 1;
      for (const { number, kind } of all) {
        take(kind === "message" ? received(state, numberOf(number), number) : keptAlive(state, numberOf(number)));
        // every second question for a missing one is answered
        const wanted = ask.shift();
        if (wanted !== undefined && number % 2 === 0) take(received(state, wanted, indexOf(wanted)));
      }
      for (let i = 1; i <= 30; i++) take(received(state, numberOf(i), i));
      assert.deepEqual(
        delivered,
        Array.from({ length: 30 }, (_, i) => i + 1),
      );
      assert.equal(state.held.size, 0);
    }),
  );
});
