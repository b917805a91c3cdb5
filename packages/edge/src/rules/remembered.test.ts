import assert from "node:assert/strict";
import { test } from "node:test";
import type { Micros } from "@penstock/model";
import { metricsRegistry } from "@penstock/runtime";
import { SimClock, settle } from "@penstock/testkit";
import { Remembered } from "./remembered.ts";
import type { RuleFeed } from "./rule-feed.ts";
import type { NewInput } from "./state/rule-state.ts";

/** each look at it takes 3 ms */
class SlowClock extends SimClock {
  #looks = 0;
  override monotonic(): number {
    return super.monotonic() + 3000 * this.#looks++;
  }
}

/** Rows for other rules, and what these are given; `wait` is what a row is answered with, `given` is told each. */
function memory(
  of: { wait?: (n: number) => Promise<void> | undefined; given?: (n: number) => void; clock?: SimClock } = {},
) {
  const { clock = new SimClock() } = of;
  const metrics = metricsRegistry();
  const rows: number[] = [];
  const feed = {
    reads: (input: object) => "stream" in input && input.stream === "m",
    take(input: NewInput) {
      assert.ok(input.t === "row" && input.from !== null);
      const n = Number(input.content.n);
      rows.push(n);
      of.given?.(n);
      return of.wait?.(n);
    },
  } as unknown as RuleFeed;
  const remembered = new Remembered({ clock, feed, metrics });
  let number = 0;
  const take = (values: readonly number[], stream = "m") =>
    remembered.take(stream, {
      ...{ rule: "r", number: ++number, time: 0 as Micros },
      rows: values.map((n) => ({ n: BigInt(n) })),
    });
  const dropped = () => metrics.totals().penstock_rules_memory_dropped_rows_total ?? 0;
  return { clock, rows, take, dropped };
}
const upTo = (end: number, from = 0) => Array.from({ length: end - from }, (_, at) => from + at);

test("rows go on at once and in order; what nobody reads goes nowhere", () => {
  const { rows, take } = memory();
  assert.equal(take(upTo(100)), undefined);
  assert.equal(take([100]), undefined);
  assert.equal(take([7], "other"), undefined);
  assert.deepEqual(rows, upTo(101));
});

test("many rows give way after 5 ms, whoever gives them waits, and what comes meanwhile comes after them", async () => {
  const { clock, rows, take } = memory({ clock: new SlowClock() });
  const all = take(upTo(50));
  assert.ok(rows.length > 0 && rows.length < 50, `${rows.length} in one turn`);
  const more = take(upTo(60, 50));
  let isDone = false;
  void Promise.all([all, more]).then(() => {
    isDone = true;
  });
  for (let turn = 0; turn < 10 && !isDone; turn++) {
    await clock.advanceAsync(1);
  }
  assert.ok(isDone);
  assert.deepEqual(rows, upTo(60));
});

test("where those who read have something to do first, rows wait for it, within their bound, and the oldest go", async () => {
  let release = () => {};
  const { rows, take, dropped } = memory({
    wait(n) {
      if (n > 0) return undefined;
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    },
  });
  const first = take([0]);
  assert.ok(first instanceof Promise, "whoever gives the only row waits as well");
  void take(upTo(10_003, 1));
  assert.deepEqual(rows, [0]);
  assert.equal(dropped(), 2);
  release();
  await first;
  await settle();
  assert.deepEqual(rows, [0, ...upTo(10_003, 3)]);
});

test("a row that comes of a row comes after those that were there", () => {
  const self: { take?: (values: readonly number[]) => unknown } = {};
  const { rows, take } = memory({ given: (n) => void (n === 1 && self.take?.([10])) });
  self.take = take;
  void take([1, 2, 3]);
  assert.deepEqual(rows, [1, 2, 3, 10]);
});
