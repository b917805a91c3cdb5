import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Played } from "./play-seeds.ts";

/** A larger nursery: nearly all that a run makes is garbage at once. */
const flags = ["--max-semi-space-size=64"];
const main = fileURLToPath(new URL("./main.ts", import.meta.url));

/**
 * Shares the seeds among processes, a range each. A job is this program with `--jobs 1`, which hands its `Played` to its
 * parent.
 *
 * @throws Error when a job ends without it
 */
export async function playJobs(options: {
  readonly first: number;
  readonly count: number;
  readonly jobs: number;
  /** --mutant, --verbose and --bail as they were given */
  readonly args: readonly string[];
  readonly bails: boolean;
}): Promise<Played[]> {
  const { first, count, jobs, args } = options;
  const running = new Set<ChildProcess>();
  const played: Played[] = [];
  const share = (job: number) => first + Math.floor((count * job) / jobs);
  const run = (job: number) =>
    new Promise<void>((resolve, reject) => {
      const seeds = ["--seed", String(share(job)), "--seeds", String(share(job + 1) - share(job))];
      const child = fork(main, [...seeds, "--jobs", "1", ...args], { execArgv: flags });
      running.add(child);
      child.on("error", reject);
      child.on("message", (result) => {
        // Only playSeeds of the same program sends.
        const one = result as Played;
        played.push(one);
        running.delete(child);
        if (options.bails && one.failed.length > 0) for (const other of running) other.kill();
      });
      child.on("close", (code, signal) => {
        if (running.delete(child) && !(options.bails && signal !== null))
          reject(new Error(`Job ${job} ended with ${signal ?? code} and no result`));
        else resolve();
      });
    });
  await Promise.all(Array.from({ length: jobs }, (_, job) => run(job)));
  return played;
}
