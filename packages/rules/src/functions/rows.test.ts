import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import type { Mode } from "../parse/ast.ts";
import { planQuery } from "../plan/plan-query.ts";
import { QueryRunner } from "../run/query-runner.ts";
import type { ObjectValue } from "../value/value.ts";
import type { RowsExample } from "./define-rows.ts";
import { rowsFunctions } from "./rows/all.ts";
import { testHost } from "./test-host.ts";

function play({ select, row }: RowsExample, mode: Mode): readonly ObjectValue[] {
  const columns = new Map(Object.keys(row).map((name) => [name, { t: "string" } as const]));
  const plan = planQuery({
    ...{ sql: `SELECT ${select} FROM example`, mode, ruleId: "example", timeZone: "UTC", host: testHost },
    ...{ omitNull: false, offsetAt: () => 0, startedAt: 0, catalog: () => ({ name: "example", columns }) },
  });
  let found: readonly ObjectValue[] = [];
  const runner = new QueryRunner(plan, {
    rows: (rows) => {
      found = rows.map((one) => ({ ...one }));
    },
    error: (error) => {
      throw error;
    },
  });
  const values = plan.sources[0]!.columns.map((one) => (one.t === "column" ? (row[one.name] ?? null) : row));
  runner.push({ at: 0, source: 0, values }, 0);
  return found;
}

for (const { name, examples } of rowsFunctions.values()) {
  test(`${name}: what its examples say`, () => {
    assert.ok(examples.length > 0, "it has no example");
    for (const example of examples) {
      const { gives, select } = example;
      for (const mode of example.mode === undefined ? (["compat", "strict"] as const) : [example.mode]) {
        if ("error" in gives) assert.throws(() => play(example, mode), gives.error, `${select} in ${mode}`);
        else assert.deepEqual(play(example, mode), gives, `${select} in ${mode}`);
      }
    }
  });
}

test("every file of a function that makes rows is in the list", () => {
  const files = readdirSync(`${import.meta.dirname}/rows`).filter((name) => name !== "all.ts");
  assert.deepEqual(files, [...rowsFunctions.keys()].map((name) => `${name}.ts`).sort());
});
