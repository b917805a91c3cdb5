/**
 * The whole path in one process on virtual time: `npm run sim -- --seeds N [--seed S] [--jobs N] [--mutant NAME] [--json]
 * [--verbose] [--bail]`. Plays seeds S..S+N-1; exit 1 when anything is found. DESIGN section 6, "Simulation".
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { installMutant, isMutantName, mutants } from "../mutants/hook.ts";
import { Coverage } from "./coverage.ts";
import { playJobs } from "./play-jobs.ts";
import type { Played, Totals } from "./play-seeds.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    /** processes that share the seeds; default: one a core */
    jobs: { type: "string" },
    mutant: { type: "string" },
    json: { type: "boolean", default: false },
    /** log lines and findings of every run */
    verbose: { type: "boolean", default: false },
    /** ends after the first seed that finds something */
    bail: { type: "boolean", default: false },
  },
});

function whole(text: string, name: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  console.error(`Invalid --${name}: "${text}": must be a whole number from 1`);
  process.exit(2);
}

if (values.mutant !== undefined) {
  if (!isMutantName(values.mutant)) {
    console.error(`Invalid --mutant: "${values.mutant}": must be one of ${Object.keys(mutants).join(", ")}`);
    process.exit(2);
  }
}
const first = whole(values.seed, "seed");
const count = whole(values.seeds, "seeds");
const jobs = Math.min(count, values.jobs === undefined ? availableParallelism() : whole(values.jobs, "jobs"));
const { verbose: isVerbose, bail: bails } = values;
const began = performance.now();
let all: Played[];
if (jobs > 1) {
  const args = [
    ...(values.mutant === undefined ? [] : ["--mutant", values.mutant]),
    ...(isVerbose ? ["--verbose"] : []),
    ...(bails ? ["--bail"] : []),
  ];
  all = await playJobs({ first, count, jobs, args, bails });
} else {
  if (values.mutant !== undefined) installMutant(values.mutant);
  // After the hook: what it replaces must not have been loaded before.
  const { playSeeds } = await import("./play-seeds.ts");
  // A job of several leaves the report to its parent.
  const isJob = process.send !== undefined;
  const played = await playSeeds({ first, count, isVerbose, bails, isAlone: count === 1 && !isJob });
  if (isJob) {
    await new Promise((sent) => process.send!(played, sent));
    process.exit(played.failed.length > 0 ? 1 : 0);
  }
  all = [played];
}
const totals = all[0]!.totals;
const coverage = new Coverage();
for (const [at, { steps, totals: more }] of all.entries()) {
  coverage.merge(steps);
  if (at > 0) for (const [name, value] of Object.entries(more)) totals[name as keyof Totals] += value;
}
const failed = all.flatMap((played) => played.failed);
if (count > 1) {
  console.log(coverage.table().join("\n"));
  const seconds = (performance.now() - began) / 1000;
  console.log(`${totals.runs} seeds from ${first} in ${seconds.toFixed(1)} s: ${JSON.stringify(totals)}`);
  if (failed.length > 0) console.log(`Found something: seeds ${failed.slice(0, 20).join(" ")}`);
}
if (values.json) console.log(JSON.stringify(totals));
process.exit(failed.length > 0 ? 1 : 0);
