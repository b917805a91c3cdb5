import assert from "node:assert/strict";
import { test } from "node:test";
import { testHost } from "../functions/test-host.ts";
import { planQuery } from "../plan/plan-query.ts";
import { effort, TooMuchWork } from "./effort.ts";
import { QueryRunner } from "./query-runner.ts";
import { rowReader } from "./read-row.ts";

function begin(sql: string, bounds = { rows: 1_000_000, chars: 1e9 }) {
  const schema = (name: string) => ({ name, columns: null });
  const plan = planQuery({
    ...{ sql, mode: "strict", ruleId: "rule", timeZone: "UTC", host: testHost, offsetAt: () => 0, startedAt: 0 },
    catalog: schema,
  });
  const out: unknown[] = [];
  const output = {
    rows: (rows: readonly object[]) => void out.push(...rows.map((row) => ({ ...row }))),
    error: ({ message }: Error) => void out.push(message),
  };
  const runner = new QueryRunner(plan, output, bounds);
  const readers = plan.sources.map((source) => rowReader(source, schema(source.stream)));
  const push = (content: { readonly [name: string]: unknown }, at: number, source = 0) =>
    runner.push(readers[source]!({ content, at }), at);
  return { runner, out, push };
}

// A cross join of a thousand rows with a thousand would hold up collecting for a second.
test("what comes of one input can be ended in the middle, and the rule goes on", () => {
  const { runner, out, push } = begin(
    "SELECT count(*) AS n FROM a INNER JOIN b ON a.x < b.x GROUP BY TUMBLINGWINDOW(ss, 1)",
  );
  for (let at = 0; at < 400; at++) for (const source of [0, 1]) push({ x: at }, at, source);
  assert.throws(
    () => effort.within({ units: 400 * 400 * 10, perRow: 10 }, () => runner.tick(1_000_000, 1_000_000)),
    TooMuchWork,
  );
  assert.deepEqual(out, []);
  push({ x: 1 }, 1_000_001);
  push({ x: 2 }, 1_000_002, 1);
  runner.tick(2_000_000, 2_000_000);
  assert.deepEqual(out, [{ n: 1n }]);
});

test("what is done after the end of it ends at once, what is done beside it counts for itself", () => {
  const all: string[] = [];
  const spend = (name: string, units: number) => {
    effort.spend(units);
    all.push(name);
  };
  const work = { units: 100, perRow: 10 };
  assert.throws(() =>
    effort.within(work, () => {
      effort.within(work, () => spend("inner", 90));
      spend("outer", 100);
      try {
        spend("too much", 1);
      } catch {
        spend("after it", 1);
      }
    }),
  );
  spend("without a bound", 2 ** 29);
  spend("without a bound", 2 ** 30);
  assert.deepEqual(all, ["inner", "outer", "without a bound", "without a bound"]);
});

test("a tumbling window that only adds up keeps so many groups; what collects keeps its rows, within the bound", () => {
  const bounds = { rows: 3, chars: 1e9 };
  const groups = begin("SELECT k, count(*) AS n FROM a GROUP BY k, TUMBLINGWINDOW(ss, 1)", bounds);
  const collected = begin("SELECT collect(k) AS all FROM a GROUP BY TUMBLINGWINDOW(ss, 1)", bounds);
  for (const { runner, push } of [groups, collected]) {
    for (let at = 0; at < 5; at++) push({ k: at }, at);
    assert.equal(runner.dropped, 2);
    runner.tick(1_000_000, 1_000_000);
    assert.equal(runner.dropped, 2, "also after it has closed");
  }
  assert.deepEqual(
    groups.out.map((row) => (row as { k: bigint }).k),
    [2, 3, 4],
  );
  assert.deepEqual(collected.out, [{ all: [2, 3, 4] }]);
});
