import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import {
  aggregateFunctions,
  analyticFunctions,
  rowsFunctions,
  scalarFunctions,
  surroundingFunctions,
  unsupported,
} from "@penstock/rules";
import { sqlFunctionReference } from "./reference-sql-functions.ts";
import { root } from "./repository.ts";

const page = sqlFunctionReference();

test("the page of SQL functions has every function and every other name of one", () => {
  for (const name of [
    ...scalarFunctions.keys(),
    ...aggregateFunctions.keys(),
    ...analyticFunctions.keys(),
    ...rowsFunctions.keys(),
  ]) {
    assert.ok(page.includes(`\n### ${name}\n`) || page.includes(`\`${name}\``), `${name} is missing`);
  }
  for (const { name } of surroundingFunctions) assert.ok(page.includes(`\`${name}(`), `${name} is missing`);
  for (const { what } of unsupported) assert.ok(page.includes(what), `${what} is missing`);
});

test("the page of SQL functions shows what an example gives in each mode, and tells integers from floats", () => {
  assert.match(page, /\| `round\(7\)` \| `7\.0` \| `7` \|/);
  assert.match(page, /\| `abs\('a'\)` \| error: x must be number, and is string "a" \| error: x must be number/);
  assert.match(page, /\| `lpad\('7', 3, '0'\)` \| error: eKuiper pads with spaces alone \| `'007'` \|/);
});

test("the page of SQL functions is what the code says now", () => {
  const path = "docs/reference/sql-functions.md";
  assert.equal(readFileSync(resolve(root, path), "utf8"), page, `${path} is stale: run npm run generate`);
});
