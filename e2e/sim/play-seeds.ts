import { Coverage, type StepCounts } from "./coverage.ts";
import { play, type Run } from "./play.ts";

const counted = [
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

export type Totals = Record<(typeof counted)[number] | "runs" | "struck", number>;
export interface Played {
  readonly totals: Totals;
  /** seeds that found something */
  readonly failed: readonly number[];
  readonly steps: StepCounts;
}

/** Plays the seeds one after another, and prints what each finds. */
export async function playSeeds(options: {
  readonly first: number;
  readonly count: number;
  readonly isVerbose: boolean;
  readonly isAlone: boolean;
  readonly bails: boolean;
}): Promise<Played> {
  const { first, count, isVerbose } = options;
  const coverage = new Coverage();
  const totals = { runs: 0, ...Object.fromEntries(counted.map((name) => [name, 0])), struck: 0 } as Totals;
  const failed: number[] = [];
  const began = performance.now();
  let told = began;
  for (let seed = first; seed < first + count; seed++) {
    const run = await play(seed, { keepsLines: isVerbose });
    totals.runs++;
    totals.struck += run.struck.length;
    for (const name of counted) totals[name] += run[name];
    coverage.add(run.struck);
    if (isVerbose) for (const line of run.lines) console.log(line);
    if (isVerbose || options.isAlone) console.log(`seed ${seed}: trace ${run.hash}, ${describe(run)}`);
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
  return { totals, failed, steps: coverage.counts };
}

function describe(run: Run): string {
  const seconds = (run.virtualMs / 1000).toFixed(0);
  return `${run.accepted} accepted, ${run.stored} stored, ${run.dropped} dropped, ${run.struck.length} faults, ${run.kills} kills, ${run.steps} steps in ${seconds} virtual s`;
}
