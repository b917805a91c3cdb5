export { exitCodeOf, exitCodes } from "./exit-codes.ts";
export { makeProgram, run } from "./program.ts";
