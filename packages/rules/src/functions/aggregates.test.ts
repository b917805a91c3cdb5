import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import type { Mode } from "../parse/ast.ts";
import { planQuery } from "../plan/plan-query.ts";
import type { Row } from "../run/frame.ts";
import { WindowResults } from "../run/window-result.ts";
import { isSame } from "../value/compare.ts";
import { kindOf, type ObjectValue, shown, type Value } from "../value/value.ts";
import { aggregateFunctions } from "./aggregate/all.ts";
import type { AggregateExample } from "./define-aggregate.ts";
import { testHost } from "./test-host.ts";

function play({ sql, rows }: AggregateExample, mode: Mode): Value {
  const columns = new Map([...Object.keys(rows[0] ?? {}), "a"].map((name) => [name, { t: "string" } as const]));
  const plan = planQuery({
    ...{
      sql: `SELECT ${sql} AS result FROM example GROUP BY COUNTWINDOW(9)`,
      mode,
      ruleId: "example",
      timeZone: "UTC",
    },
    ...{
      host: testHost,
      omitNull: false,
      offsetAt: () => 0,
      startedAt: 0,
      catalog: () => ({ name: "example", columns }),
    },
  });
  const rowOf = (row: ObjectValue): Row => ({
    at: 0,
    source: 0,
    values: plan.sources[0]!.columns.map((one) => (one.t === "all" ? row : (row[one.name] ?? null))),
  });
  if (rows.length === 0) {
    const [planned] = plan.grouping!.aggregates;
    return planned!.start().result();
  }
  const { rows: results, errors } = new WindowResults(plan).ofRows(
    rows.map(rowOf),
    { start: 0, end: 0, trigger: 0 },
    0,
  );
  if (errors.length > 0) throw errors[0];
  return results[0]!.result!;
}

const specs = new Map([...aggregateFunctions.values()].map((spec) => [spec.name, spec]));

for (const { name, examples } of specs.values()) {
  test(`${name}: what its examples say`, () => {
    assert.ok(examples.length >= 2, "it has too few examples");
    for (const example of examples) {
      for (const mode of example.mode === undefined ? (["compat", "strict"] as const) : [example.mode])
        check(example, mode);
    }
  });
}

function check(example: AggregateExample, mode: Mode): void {
  const { sql, gives } = example;
  if (typeof gives === "object" && gives !== null && "error" in gives && gives.error instanceof RegExp) {
    assert.throws(() => play(example, mode), gives.error, `${sql} in ${mode}`);
    return;
  }
  const wanted = gives as Value;
  const found = play(example, mode);
  const isEqual = kindOf(found) === kindOf(wanted) && isSame(found, wanted);
  assert.ok(
    isEqual,
    `${sql} in ${mode} gives ${kindOf(found)} ${shown(found)}, not ${kindOf(wanted)} ${shown(wanted)}`,
  );
}

test("every file of an aggregate is in the list", () => {
  const files = readdirSync(`${import.meta.dirname}/aggregate`).filter(
    (name) => name !== "all.ts" && !name.startsWith("part-"),
  );
  assert.deepEqual(files, [...specs.keys()].map((name) => `${name.replaceAll("_", "-")}.ts`).sort());
});
