import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import type { Mode } from "../parse/ast.ts";
import { planQuery } from "../plan/plan-query.ts";
import { QueryRunner } from "../run/query-runner.ts";
import type { Value } from "../value/value.ts";
import { analyticFunctions } from "./analytic/all.ts";
import type { AnalyticExample } from "./define-analytic.ts";
import { testHost } from "./test-host.ts";

function play({ sql, rows }: AnalyticExample, mode: Mode): readonly Value[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const plan = planQuery({
    ...{ sql: `SELECT ${sql} AS result FROM example`, mode, ruleId: "example", timeZone: "UTC", host: testHost },
    ...{
      omitNull: false,
      offsetAt: () => 0,
      startedAt: 0,
      catalog: () => ({ name: "example", columns: new Map(names.map((name) => [name, { t: "string" }])) }),
    },
  });
  const out: Value[] = [];
  const runner = new QueryRunner(plan, {
    rows: ([row]) => out.push(row!.result!),
    error: (error) => {
      throw error;
    },
  });
  for (const [at, row] of rows.entries()) {
    const values = plan.sources[0]!.columns.map((one) => (one.t === "all" ? row : (row[one.name] ?? null)));
    runner.push({ at, source: 0, values }, at);
  }
  return out;
}

for (const { name, examples } of analyticFunctions.values()) {
  test(`${name}: what its examples say`, () => {
    assert.ok(examples.length > 0, "it has no example");
    for (const example of examples) {
      const modes = example.mode === undefined ? (["compat", "strict"] as const) : [example.mode];
      for (const mode of modes) assert.deepEqual(play(example, mode), example.gives, `${example.sql} in ${mode}`);
    }
  });
}

test("every file of an analytic function is in the list", () => {
  const files = readdirSync(`${import.meta.dirname}/analytic`).filter(
    (name) => name !== "all.ts" && !name.startsWith("part-"),
  );
  assert.deepEqual(files, [...analyticFunctions.keys()].map((name) => `${name.replaceAll("_", "-")}.ts`).sort());
});
