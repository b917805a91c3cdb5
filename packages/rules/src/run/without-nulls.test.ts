import assert from "node:assert/strict";
import { test } from "node:test";
import { testHost } from "../functions/test-host.ts";
import { planQuery } from "../plan/plan-query.ts";
import { QueryRunner } from "./query-runner.ts";

function columns(mode: "compat" | "strict", omitNull?: boolean): readonly string[] {
  const plan = planQuery({
    ...{ sql: "SELECT a, b FROM demo", mode, ruleId: "rule", timeZone: "UTC", host: testHost, startedAt: 0 },
    ...{ offsetAt: () => 0, catalog: (name) => ({ name, columns: null }), ...(omitNull !== undefined && { omitNull }) },
  });
  let found: readonly string[] = [];
  const runner = new QueryRunner(plan, {
    rows: ([row]) => {
      found = Object.keys(row!);
    },
    error: (error) => assert.fail(error),
  });
  runner.push({ at: 0, source: 0, values: [1, null] }, 0);
  return found;
}

test("results go without nulls in compat mode, and with them in strict, unless it is said otherwise", () => {
  assert.deepEqual(columns("compat"), ["a"]);
  assert.deepEqual(columns("strict"), ["a", "b"]);
  assert.deepEqual(columns("compat", false), ["a", "b"]);
  assert.deepEqual(columns("strict", true), ["a"]);
});
