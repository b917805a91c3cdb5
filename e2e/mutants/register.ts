/** For `node --import`: loads the mutant that PENSTOCK_TEST_MUTANT names; without it, nothing. */
import { installMutant, isMutantName, mutantVariable } from "./hook.ts";

const name = process.env[mutantVariable] ?? "";
if (name !== "") {
  if (!isMutantName(name)) throw new Error(`No mutant "${name}"`);
  installMutant(name);
}
