import assert from "node:assert/strict";
import { test } from "node:test";
import { limits, type Micros } from "@penstock/model";
import { effort, TooMuchWork } from "@penstock/rules";
import { SimClock } from "@penstock/testkit";
import { Budget } from "./budget.ts";
import { batchOf, eventRuleOf, SlowClock } from "./state/state-fixture.ts";

const second = 1_000_000;

test("a rule may use half of the processor for long, and four seconds of it at once; what it does not use it does not save", () => {
  const clock = new SimClock();
  const budget = new Budget(clock, 10);
  const use = (micros: number) => budget.spend(() => clock.advance(micros / 1000));
  for (let n = 0; n < 100; n++) {
    assert.ok(use(0.4 * second));
    clock.advance(500);
  }
  clock.advance(3_600_000);
  assert.ok(use(2 * second));
  assert.ok(!use(2.1 * second));
  clock.advance(1000);
  assert.ok(use(0), "it has rested for a second");
});

test("what is done again costs nobody anything, and has the same bound of one input, whatever time it takes", () => {
  const slow = new SlowClock({ lookMicros: 10 * second });
  const budget = new Budget(slow, 10);
  let rows = 0;
  const work = () => {
    for (;;) {
      effort.step();
      rows++;
    }
  };
  for (let n = 0; n < 5; n++) assert.throws(() => budget.bound(work), TooMuchWork);
  assert.ok(budget.isWithin);
  assert.equal(rows, (5 * limits.ruleInputWork) / 10);
  assert.throws(() => budget.spend(work), TooMuchWork);
  assert.ok(!budget.isWithin, "the clock went on by ten seconds");
});

// Nobody knows how fast the machine is on which it is done again.
test("a rule that was cut off in the middle is cut off there again, on a fast clock or a slow one", () => {
  const sql = "SELECT count(*) AS n FROM d AS x INNER JOIN d AS y ON x.a < y.a GROUP BY TUMBLINGWINDOW(ss, 1)";
  // A hundred rows in the first second, and a thousand in the next.
  const times = [
    ...Array.from({ length: 100 }, (_, at) => at * 0.01),
    ...Array.from({ length: 1000 }, (_, at) => 1 + at * 0.001),
    ...[4, 5, 6],
  ].map((one) => Math.round(one * second));
  const outputsOn = (clock: SimClock, isAgain: boolean) => {
    const out: string[] = [];
    const give = (_: string, number: number, rows: string) => {
      out.push(`${number} ${rows}`);
      // Longer than a rule may take; it has done so before, and was not stopped.
      if (isAgain) clock.advance(3000);
    };
    const rule = eventRuleOf("r", sql, { give, clock });
    for (const [at, time] of times.entries())
      rule.take({ t: "batch", now: time as Micros, batch: batchOf(at, { time }) }, { isAgain });
    return { out, failure: rule.failure };
  };
  const first = outputsOn(new SimClock(), false);
  assert.deepEqual(first.out, ['1 [{"n":"4950n"}]', "-1 It takes too much work over one input"]);
  assert.deepEqual(outputsOn(new SlowClock({ lookMicros: 30_000 }), true), first);
});
