/**
 * The whole path in one process on virtual time: `npm run sim -- --seeds N [--seed S] [--mutant NAME] [--json]
 * [--verbose] [--bail]`. Plays seeds S..S+N-1; exit 1 when anything is found. DESIGN section 6, "Simulation".
 */
import { parseArgs } from "node:util";
import { installMutant, isMutantName, mutants } from "../mutants/hook.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
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
  installMutant(values.mutant);
}
// After the hook: what it replaces must not have been loaded before.
const { playSeeds } = await import("./play-seeds.ts");
const found = await playSeeds({
  first: whole(values.seed, "seed"),
  count: whole(values.seeds, "seeds"),
  isJson: values.json,
  isVerbose: values.verbose,
  bails: values.bail,
});
process.exit(found ? 1 : 0);
