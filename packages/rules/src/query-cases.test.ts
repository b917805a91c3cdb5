import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { allCases } from "../testcases/all.ts";
import { playCase } from "../testcases/play-case.ts";
import type { QueryCase } from "../testcases/query-case.ts";
import type { Mode } from "./parse/ast.ts";

function modesOf({ mode }: QueryCase): readonly Mode[] {
  return mode === undefined ? ["compat", "strict"] : [mode];
}

function check(one: QueryCase, mode: Mode): void {
  if (one.refused !== undefined) {
    assert.throws(() => playCase(one, mode), { code: "rules/bad-sql", message: one.refused });
    assert.throws(() => playCase(one, mode), { message: /at line \d+, column \d+/ });
    return;
  }
  const out = playCase(one, mode);
  assert.equal(out.length, one.out.length, inspect(out, { depth: 5 }));
  for (const [at, wanted] of one.out.entries()) {
    if (wanted instanceof RegExp) assert.match(String(out[at]), wanted);
    else assert.deepEqual(out[at], wanted);
  }
}

for (const [topic, cases] of Object.entries(allCases)) {
  for (const one of cases)
    for (const mode of modesOf(one)) test(`${topic}: ${one.name} (${mode})`, () => check(one, mode));
}
