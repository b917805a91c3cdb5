import { parseArgs } from "node:util";
import { isMutantName, mutants } from "../mutants/hook.ts";
import { whyNoFakeClock } from "./fake-clock.ts";
import { type RunKind, type Scenario, scenarios } from "./plan.ts";
import { type RunResult, run } from "./run.ts";
import { whyNoSmallDisk } from "./small-disk.ts";

/**
 * `npm run faults -- [scenario…] [--runs 1] [--seed 1] [--mutant NAME] [--json] [--seconds 30] [--rate 5000]`: real
 * processes, killed and cut off for real. `all` is each scenario in turn, `--runs` times each. Ends with 1 when a run finds
 * anything, so with --mutant 1 is the good outcome. A run's seed is printed; the same seed gives the same plan.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    seconds: { type: "string", default: "30" },
    rate: { type: "string", default: "5000" },
    mutant: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const runs = whole("runs", values.runs, 1, 100_000);
const seed = whole("seed", values.seed, 0, 2 ** 31);
const seconds = whole("seconds", values.seconds, 5, 3600);
const rate = whole("rate", values.rate, 100, 100_000);
const mutant = values.mutant ?? null;
if (mutant !== null && !isMutantName(mutant))
  refuse(`Unknown mutant "${mutant}": must be one of ${Object.keys(mutants).join(", ")}`);
const kinds = kindsOf(positionals);
const say = (text: string) => (values.json ? process.stderr : process.stdout).write(`${text}\n`);

const total = {
  ...{
    runs: 0,
    accepted: 0,
    stored: 0,
    lost: 0,
    duplicated: 0,
    outOfOrder: 0,
    stale: 0,
    dropped: 0,
    unread: 0,
    kills: 0,
  },
  struck: true,
};
let isFound = false;
say(`Scenarios: ${kinds.join(" ")}`);
for (const kind of kinds) {
  const reason = whyNot(kind);
  if (reason !== null) {
    // Named alone it cannot be left out quietly.
    if (kinds.length === 1 || process.env.PENSTOCK_REQUIRE_ALL === "1") refuse(`Cannot play "${kind}": ${reason}`);
    say(`${kind}: left out, ${reason}`);
    continue;
  }
  for (let i = 0; i < runs; i++) {
    const result = await run({ kind, seed: seed + i, seconds, rate, mutant });
    add(result);
    say(lineOf(kind, seed + i, result));
    for (const finding of result.findings) say(`  ${finding}`);
    if (result.folder !== null) say(`  kept: ${result.folder}`);
    if (mutant !== null && isFound) break;
  }
}
say(isFound ? "Found something" : "Found nothing");
console.log(values.json ? JSON.stringify(total) : summaryOf());
// Whatever a run may have left open must not keep the answer back.
process.exit(isFound ? 1 : 0);

function add(result: RunResult): void {
  total.runs++;
  for (const key of [
    "accepted",
    "stored",
    "lost",
    "duplicated",
    "outOfOrder",
    "stale",
    "dropped",
    "unread",
    "kills",
  ] as const) {
    total[key] += result[key];
  }
  total.struck &&= result.struck;
  isFound ||= result.findings.length > 0 || !result.struck;
}

function lineOf(kind: RunKind, runSeed: number, r: RunResult): string {
  const counts = `accepted ${r.accepted}, stored ${r.stored}, lost ${r.lost}, duplicated ${r.duplicated}, out of order ${r.outOfOrder}, stale ${r.stale}`;
  const rest = `dropped ${r.dropped}, unread ${r.unread}, kills ${r.kills}, sets ${r.sets}`;
  return `${kind} --seed ${runSeed}: ${counts}, ${rest}${r.struck ? "" : ", NOT STRUCK"}`;
}

function summaryOf(): string {
  return Object.entries(total)
    .map(([key, value]) => `${key} ${value}`)
    .join(", ");
}

function kindsOf(names: readonly string[]): readonly RunKind[] {
  if (names.length === 0) return ["mixed"];
  if (names.includes("all")) return scenarios;
  for (const name of names) {
    if (!(scenarios as readonly string[]).includes(name))
      refuse(`Unknown scenario "${name}": must be all or one of ${scenarios.join(", ")}`);
  }
  return names as readonly Scenario[];
}

/** @returns what this machine lacks for a scenario; null when nothing */
function whyNot(kind: RunKind): string | null {
  if (kind === "disk-full") return whyNoSmallDisk();
  return kind === "clock-jump" ? whyNoFakeClock() : null;
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text !== "" && Number.isInteger(value) && value >= least && value <= most) return value;
  return refuse(`Invalid --${option} "${text}": must be a whole number ${least}..${most}`);
}

function refuse(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}
