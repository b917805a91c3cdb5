import { effort } from "../run/effort.ts";
import type { Value } from "../value/value.ts";
import type { CallContext, ScalarFunction } from "./define-function.ts";

/** of any call, its arguments looked at */
const callUnits = 5;

/** Calls a function, and counts what it costs to read texts and bytes and to make the result; what it does beyond, it counts. */
export function counted(run: ScalarFunction["run"], values: readonly Value[], context: CallContext): Value {
  effort.spend(callUnits);
  for (let at = 0; at < values.length; at++) countChars(values[at]!);
  const made = run(values, context);
  if (Array.isArray(made)) effort.parts(made.length);
  else countChars(made);
  return made;
}

function countChars(value: Value): void {
  if (typeof value === "string" || value instanceof Uint8Array) effort.chars(value.length);
}

/** What is made of a text, such as a regular expression, and may not be there from the row before. */
export function countCompiling(text: Value | undefined): void {
  if (typeof text === "string") effort.spend(5000 + 100 * text.length);
}
