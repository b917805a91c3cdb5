import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { BenchRow } from "./bench.ts";

const run = promisify(execFile);
const readme = readFileSync(join(import.meta.dirname, "README.md"), "utf8");
/** The names stand in the README's table, first two columns; they are fixed, so that figures can be followed over versions. */
const named = [...readme.matchAll(/^\| `([a-z0-9-]+)` +\| `([a-z0-9-]+)` +\|/gm)].map(
  ([, bench, metric]) => `${bench}/${metric}`,
);

test("every bench runs in smoke mode and prints exactly the rows that bench/README.md names", {
  timeout: 300_000,
}, async () => {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, "main.ts"), "--smoke", "--json"]);
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as BenchRow);
  const onlyAtFullLength = (name: string) => /-(100k-series|small-devices)$/.test(name);
  const expected = existsSync("/proc/self/smaps_rollup") ? named : named.filter((name) => !name.startsWith("memory/"));
  assert.deepEqual(
    rows.map(({ bench, metric }) => `${bench}/${metric}`).filter((name) => name !== "memory/all"),
    expected.filter((name) => !onlyAtFullLength(name)),
  );
  for (const { metric, value, unit, baseline, baselineValue, ratio, skipped } of rows) {
    assert.ok(typeof unit === "string" && typeof baseline === "string", metric);
    if (skipped !== undefined) continue;
    assert.ok(typeof value === "number" && value >= 0, metric);
    assert.ok(typeof baselineValue === "number", metric);
    if (baselineValue > 0)
      assert.ok(Math.abs(ratio! - value / baselineValue) <= 0.002 * (value / baselineValue), metric);
  }
});
