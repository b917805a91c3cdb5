import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

/** Mutant by name: the file of the product that it takes the place of. The replacement is `<name>.ts` beside this file. */
export const mutants = {
  "ack-before-commit": "packages/cloud/src/ingest/acknowledge.ts",
  "resolve-before-sync": "packages/edge/src/outbox/group-commit.ts",
  "seq-reused": "packages/edge/src/outbox/next-seq.ts",
  "resume-from-sent": "packages/edge/src/link/resume.ts",
  "no-dedup": "packages/cloud/src/ingest/dedup.ts",
  "desired-in-memory": "packages/edge/src/twin/desired-journal.ts",
  "calls-in-memory": "packages/edge/src/twin/calls-journal.ts",
  "state-falls-back": "packages/cloud/src/services/desired-state.ts",
} as const satisfies Record<string, string>;
export type MutantName = keyof typeof mutants;

/** the one variable that names a mutant to child processes; nothing in the product reads it */
export const mutantVariable = "PENSTOCK_TEST_MUTANT";

export function isMutantName(text: string): text is MutantName {
  return Object.hasOwn(mutants, text);
}

/** From now on this thread loads the mutant wherever the real file is asked for. To be called before it is first loaded. */
export function installMutant(name: MutantName): void {
  const target = new URL(`../../${mutants[name]}`, import.meta.url).href;
  const replacement = new URL(`./${name}.ts`, import.meta.url).href;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      return resolved.url === target ? nextResolve(replacement, context) : resolved;
    },
  });
}

/** Options for a child process that shall run with the mutant, its worker threads and children included. */
export function mutantEnv(name: MutantName): Record<string, string> {
  const register = fileURLToPath(new URL("./register.ts", import.meta.url));
  const options = process.env.NODE_OPTIONS ?? "";
  return { [mutantVariable]: name, NODE_OPTIONS: `${options} --import=${register}`.trim() };
}
