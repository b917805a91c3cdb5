import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import type { Mode } from "../parse/ast.ts";
import { planQuery } from "../plan/plan-query.ts";
import { QueryRunner } from "../run/query-runner.ts";
import { isSame } from "../value/compare.ts";
import { kindOf, shown, type Value } from "../value/value.ts";
import { type Example, functionGroups, type ScalarFunction } from "./define-function.ts";
import { scalarFunctions } from "./registry.ts";
import { testHost } from "./test-host.ts";

/** 2026-11-01T12:34:56.789Z, for examples that tell the time */
const now = 1_793_536_496_789_000;

function play({ sql, of = {} }: Example, mode: Mode): Value {
  const columns = new Map(Object.keys(of).map((name) => [name, { t: "string" } as const]));
  const plan = planQuery({
    ...{
      sql: `SELECT ${sql} AS result FROM example`,
      mode,
      ruleId: "example",
      timeZone: "UTC",
      host: testHost,
      omitNull: false,
      offsetAt: () => 0,
      startedAt: 0,
    },
    catalog: () => ({ name: "example", columns }),
  });
  const values = plan.sources[0]!.columns.map((column) => (column.t === "column" ? (of[column.name] ?? null) : null));
  let found: Value = null;
  const runner = new QueryRunner(plan, {
    rows: ([first]) => {
      found = first!.result!;
    },
    error: (error) => {
      throw error;
    },
  });
  runner.push({ at: now, source: 0, values }, now);
  return found;
}

const specs = new Map([...scalarFunctions.values()].map((spec) => [spec.name, spec]));

for (const spec of specs.values()) {
  test(`${spec.name}: what its examples say`, () => {
    assert.ok(spec.examples.length > 0, "it has no example");
    for (const example of spec.examples) for (const mode of modesOf(example)) checkExample(spec, example, mode);
  });
}

function modesOf({ mode }: Example): readonly Mode[] {
  return mode === undefined ? ["compat", "strict"] : [mode];
}

function checkExample(spec: ScalarFunction, example: Example, mode: Mode): void {
  const { sql, gives } = example;
  const names = [spec.name, ...(spec.also ?? [])];
  assert.ok(
    names.some((name) => new RegExp(`\\b${name}\\s*\\(`, "i").test(sql)),
    `${sql} does not call ${spec.name}`,
  );
  if (typeof gives === "object" && gives !== null && "error" in gives && gives.error instanceof RegExp) {
    assert.throws(() => play(example, mode), gives.error, `${sql} in ${mode}`);
    return;
  }
  const wanted = gives as Value;
  const found = play(example, mode);
  const isEqual = kindOf(found) === kindOf(wanted) && (isSame(found, wanted) || Object.is(found, wanted));
  assert.ok(
    isEqual,
    `${sql} in ${mode} gives ${kindOf(found)} ${shown(found)}, not ${kindOf(wanted)} ${shown(wanted)}`,
  );
}

test("every file of a function is in the registry, in its group, under names that no other has", () => {
  const files = functionGroups.flatMap((group) =>
    readdirSync(`${import.meta.dirname}/${group}`)
      .filter((name) => name !== "all.ts" && !name.startsWith("part-") && !name.endsWith(".test.ts"))
      .map((name) => `${group}/${name}`),
  );
  const known = [...specs.values()].map(({ group, name }) => `${group}/${name.replaceAll("_", "-")}.ts`);
  assert.deepEqual(files.sort(), known.sort());
  const all = [...specs.values()].flatMap(({ name, also = [] }) => [name, ...also]);
  assert.equal(new Set(all).size, all.length, "two functions have one name");
});
