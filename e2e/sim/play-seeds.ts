import { Coverage } from "./coverage.ts";
import { play, type Run } from "./play.ts";

const totalsOf = [
  "accepted",
  "stored",
  "lost",
  "duplicated",
  "outOfOrder",
  "stale",
  "dropped",
  "unread",
  "kills",
  "newEpochs",
] as const;
const progressEveryMs = 5000;

/** Plays the seeds one after another and prints what was found. @returns true when anything was */
export async function playSeeds(options: {
  readonly first: number;
  readonly count: number;
  readonly isJson: boolean;
  readonly isVerbose: boolean;
  readonly bails: boolean;
}): Promise<boolean> {
  const { first, count, isVerbose } = options;
  const coverage = new Coverage();
  const totals = { runs: 0, ...Object.fromEntries(totalsOf.map((name) => [name, 0])), struck: 0 } as Totals;
  const failed: number[] = [];
  const began = performance.now();
  let told = began;
  for (let seed = first; seed < first + count; seed++) {
    const run = await play(seed, { keepsLines: isVerbose });
    totals.runs++;
    totals.struck += run.struck.length;
    for (const name of totalsOf) totals[name] += run[name];
    coverage.add(run.struck);
    if (isVerbose) for (const line of run.lines) console.log(line);
    if (isVerbose || count === 1) console.log(`seed ${seed}: trace ${run.hash}, ${describe(run)}`);
    if (run.problems.length > 0) {
      failed.push(seed);
      console.log(`seed ${seed} found:\n${run.problems.map((problem) => `  ${problem}`).join("\n")}`);
      if (options.bails) break;
    }
    const now = performance.now();
    if (now - told >= progressEveryMs) {
      told = now;
      const perSeed = (now - began) / totals.runs;
      console.error(
        `seed ${seed}: ${totals.runs} of ${count}, ${failed.length} found something, ${perSeed.toFixed(1)} ms each`,
      );
    }
  }
  if (count > 1) {
    console.log(coverage.table().join("\n"));
    const seconds = (performance.now() - began) / 1000;
    console.log(`${totals.runs} seeds from ${first} in ${seconds.toFixed(1)} s: ${JSON.stringify(totals)}`);
    if (failed.length > 0) console.log(`Found something: seeds ${failed.slice(0, 20).join(" ")}`);
  }
  if (options.isJson) console.log(JSON.stringify(totals));
  return failed.length > 0;
}
type Totals = Record<(typeof totalsOf)[number] | "runs" | "struck", number>;

function describe(run: Run): string {
  const seconds = (run.virtualMs / 1000).toFixed(0);
  return `${run.accepted} accepted, ${run.stored} stored, ${run.dropped} dropped, ${run.struck.length} faults, ${run.kills} kills, ${run.steps} steps in ${seconds} virtual s`;
}
