import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { root } from "./repository.ts";

const read = (path: string) => readFileSync(resolve(root, path), "utf8");
const page = read("docs/reference/first-mile.md");
/** names of tests, as `test("…"` has them on one line or two */
const testsOf = (path: string) => [...read(path).matchAll(/^\s*test\(\s*"([^"]+)"/gm)].map(([, name]) => name!);

// A page that names a test which is gone claims what nobody checks.
test("the page of the first mile names tests that are there, in every row, and all of its own file", () => {
  const rows = page.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| defect there"));
  assert.ok(rows.length >= 25, `${rows.length} rows`);
  const named = new Set<string>();
  for (const row of rows) {
    const found = [...row.matchAll(/`([\w./-]+\.test\.ts)` "([^"]+)"/g)];
    assert.notEqual(found.length, 0, `no test in: ${row}`);
    for (const [, file, name] of found) {
      assert.ok(testsOf(file!).includes(name!), `${file} has no test "${name}"`);
      named.add(`${file} ${name}`);
    }
  }
  for (const name of testsOf("e2e/first-mile.test.ts")) {
    assert.ok(named.has(`e2e/first-mile.test.ts ${name}`), `the page lacks "${name}"`);
  }
});
