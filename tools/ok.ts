/**
 * `npm run ok`, which `npm test` runs: format and lint, types, imports, generated files, licences, then every test.
 * Arguments narrow the tests to files whose path contains one of them. With PENSTOCK_REQUIRE_ALL=1 a skip fails.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { bundle } from "./bundle.ts";
import { checkRepository } from "./check-imports.ts";
import { staleFiles } from "./generate.ts";
import { licenceProblems } from "./licences.ts";
import { repositoryFiles, root } from "./repository.ts";
import { runTests, type Tally } from "./run-tests.ts";

const total: Tally = { passed: 0, failed: 0, skipped: 0 };
/** a test that takes longer is named, so that the suite does not grow slow unseen */
const slowMs = 10_000;
const only = process.argv.slice(2);

async function check(name: string, run: () => readonly string[] | Promise<readonly string[]>): Promise<void> {
  const started = performance.now();
  const problems = await run();
  if (problems.length === 0) total.passed += 1;
  else total.failed += 1;
  for (const problem of problems.slice(0, 50)) console.log(`  ${problem}`);
  console.log(
    `${problems.length === 0 ? "ok    " : "FAILED"} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`,
  );
}

function tool(script: string, args: readonly string[]): string[] {
  const run = spawnSync(process.execPath, [script, ...args], { cwd: root, encoding: "utf8" });
  return run.status === 0
    ? []
    : [`${run.stdout}${run.stderr}`.trim() || `${script} ended with ${run.status ?? run.signal}`];
}

async function tests(
  name: string,
  files: readonly string[],
  options: { readonly concurrency: number; readonly env?: Readonly<Record<string, string>> },
): Promise<void> {
  const started = performance.now();
  const chosen = only.length === 0 ? files : files.filter((file) => only.some((part) => file.includes(part)));
  const tally = await runTests({ files: chosen, ...options });
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
  for (const { name, ms } of tally.slowest) if (ms > slowMs) console.log(`  ${(ms / 1000).toFixed(1)} s  ${name}`);
  const counts = `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`;
  console.log(
    `${tally.failed === 0 ? "ok    " : "FAILED"} ${name}: ${chosen.length} files, ${counts} (${((performance.now() - started) / 1000).toFixed(1)} s)`,
  );
}

if (only.length === 0) {
  await check("format and lint", () =>
    tool("node_modules/@biomejs/biome/bin/biome", ["check", "--error-on-warnings", "."]),
  );
  await check("types", () => tool("node_modules/typescript/bin/tsc", ["-p", "."]));
  await check("imports", checkRepository);
  await check("generated files", staleFiles);
  await check("licences", licenceProblems);
}
/** Tests that another test runs: the template's in a folder made of it, the mappers' conformance by tools/conformance.test.ts. */
const isRunByAnother = (path: string) =>
  path.startsWith("packages/mapper-sdk/template/") ||
  (only.length === 0 && /^packages\/mappers\/[^/]+\/src\/conformance\.test\.ts$/.test(path));
const files = repositoryFiles().filter((path) => path.endsWith(".test.ts") && !isRunByAnother(path));
/** What is in flight at a kill, and how late the gateway is, are measured there, and grow while others take the processors. */
const isAlone = (path: string) => path === "e2e/faults.test.ts" || path === "e2e/rules-hostile.test.ts";
const isWhole = (path: string) => path.startsWith("e2e/");
await tests(
  "unit and stage tests",
  files.filter((path) => !isWhole(path)),
  { concurrency: 2 },
);
/** What ships is what the whole is tested with; its programs also start in a third of the time. */
const { folder } = await bundle(join(root, "node_modules/.cache/penstock"));
const env = { PENSTOCK_PROGRAM: join(folder, "main.js") };
// They start many processes and wait much: after the rest, so that those do not take the processors.
await tests(
  "whole-system tests",
  files.filter((path) => isWhole(path) && !isAlone(path)),
  { concurrency: 3, env },
);
await tests("fault runs", files.filter(isAlone), { concurrency: 1, env });

const skipFails = process.env.PENSTOCK_REQUIRE_ALL === "1" && total.skipped > 0;
if (skipFails) console.log(`FAILED ${total.skipped} tests were skipped, and PENSTOCK_REQUIRE_ALL=1 allows none`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || skipFails ? 1 : 0;
