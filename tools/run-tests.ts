import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "./repository.ts";

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}
/** a test and how long it took: what to look at when the suite grows slow */
export interface Slow {
  readonly name: string;
  readonly ms: number;
}
/** TypeScript is stripped and compiled once, not once in each of some thousand processes and worker threads */
const compileCache = join(root, "node_modules/.cache/compile");
/** that are told of a run */
const slowShown = 8;

/**
 * Runs test files with Node's runner, prints failures as they come and skips with their reason, and counts.
 * TAP is read because Node's default reporter differs between versions when piped.
 */
export async function runTests(options: {
  readonly files: readonly string[];
  readonly concurrency: number;
  readonly env?: Readonly<Record<string, string>>;
}): Promise<Tally & { readonly slowest: readonly Slow[] }> {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  const tests: Slow[] = [];
  const slowest = () => tests.sort((a, b) => b.ms - a.ms).slice(0, slowShown);
  if (options.files.length === 0) return { ...tally, slowest: [] };
  const child = spawn(
    process.execPath,
    [
      "--test",
      "--test-reporter=tap",
      `--test-concurrency=${options.concurrency}`,
      "--test-timeout=600000",
      ...options.files,
    ],
    {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
      env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ...options.env },
    },
  );
  let failing = false;
  let sawSummary = false;
  let ended = "";
  for await (const line of createInterface({ input: child.stdout })) {
    const summary = /^# (pass|fail|cancelled|skipped|todo) (\d+)$/.exec(line);
    if (summary !== null) {
      sawSummary = true;
      const count = Number(summary[2]);
      if (summary[1] === "pass") tally.passed += count;
      else if (summary[1] === "skipped") tally.skipped += count;
      // A test that is still to do is a promise that is not kept.
      else tally.failed += count;
      continue;
    }
    ended = /^(?:not )?ok \d+ - (.*?)(?: # .*)?$/.exec(line)?.[1] ?? ended;
    const took = /^ {2}duration_ms: ([\d.]+)$/.exec(line);
    if (took !== null) tests.push({ name: ended, ms: Number(took[1]) });
    if (/^\s*not ok /.test(line)) failing = true;
    else if (/^\s*(ok |# Subtest)/.test(line)) failing = false;
    if (failing) console.log(line);
    const skip = /^\s*ok \d+ - (.*) # SKIP ?(.*)$/.exec(line);
    if (skip !== null) console.log(`skipped: ${skip[1]}: ${skip[2] || "no reason given"}`);
  }
  const code = await new Promise<number | null>((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.once("exit", resolve);
  });
  if (!sawSummary || (code !== 0 && tally.failed === 0)) tally.failed += 1;
  return { ...tally, slowest: slowest() };
}
