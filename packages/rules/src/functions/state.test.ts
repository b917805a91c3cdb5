import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mode } from "../parse/ast.ts";
import { planQuery } from "../plan/plan-query.ts";
import { QueryRunner } from "../run/query-runner.ts";
import { decodeSaved, encodeSaved } from "../value/saved-codec.ts";
import type { ObjectValue, Value } from "../value/value.ts";
import { aggregateFunctions } from "./aggregate/all.ts";
import { analyticFunctions } from "./analytic/all.ts";
import { testHost } from "./test-host.ts";

/** Plays rows into a query, which is stopped and goes on from its saved bytes after each of them where `stops`. */
function play(sql: string, rows: readonly ObjectValue[], { mode, stops }: { mode: Mode; stops: boolean }): string[] {
  const columns = new Map(
    [...rows.flatMap((row) => Object.keys(row)), "a"].map((name) => [name, { t: "string" } as const]),
  );
  const begin = (out: string[]) => {
    const plan = planQuery({
      ...{ sql, mode, ruleId: "r", timeZone: "UTC", host: testHost, offsetAt: () => 0, startedAt: 0 },
      catalog: () => ({ name: "s", columns }),
    });
    const text = (rows: readonly ObjectValue[]) => Buffer.from(encodeSaved(rows as Value)).toString("latin1");
    const runner = new QueryRunner(plan, {
      rows: (found, number) => out.push(`${number} ${text(found)}`),
      error: ({ message }) => out.push(message),
    });
    return { plan, runner };
  };
  const out: string[] = [];
  let { plan, runner } = begin(out);
  for (const [at, row] of rows.entries()) {
    const values = plan.sources[0]!.columns.map((one) => (one.t === "all" ? row : (row[one.name] ?? null)));
    runner.push({ at, source: 0, values }, at);
    if (!stops) continue;
    const saved = encodeSaved(runner.save());
    ({ plan, runner } = begin(out));
    runner.restore(decodeSaved(saved));
  }
  runner.tick(2_000_000, 2_000_000);
  return out;
}

const cases = [
  ...[...analyticFunctions.values()].flatMap(({ examples }) =>
    examples.map(({ sql, ...rest }) => ({ ...rest, sql: `SELECT ${sql} AS result FROM s` })),
  ),
  ...[...aggregateFunctions.values()].flatMap(({ examples }) =>
    examples.flatMap(({ sql, ...rest }) => [
      { ...rest, sql: `SELECT ${sql} AS result FROM s GROUP BY TUMBLINGWINDOW(ss, 1)` },
      { ...rest, sql: `SELECT ${sql} AS result FROM s GROUP BY HOPPINGWINDOW(ss, 2, 1)` },
    ]),
  ),
];

test("every analytic function and aggregate goes on after each row of its examples as if nothing had been", () => {
  for (const { sql, rows, mode } of cases) {
    for (const one of mode === undefined ? (["compat", "strict"] as const) : [mode]) {
      const wanted = play(sql, rows, { mode: one, stops: false });
      assert.deepEqual(play(sql, rows, { mode: one, stops: true }), wanted, `${sql} in ${one}`);
      assert.ok(rows.length === 0 || wanted.length > 0, sql);
    }
  }
});
