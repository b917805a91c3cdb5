import { limits } from "@penstock/model";
import type { Mode } from "../../parse/ast.ts";
import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import type { Value } from "../../value/value.ts";

/** Why there is no value. Where several are looked for it is left out, where there is one it is the row's error. */
export class Missing {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** Of one evaluation. */
export interface PathRun {
  readonly mode: Mode;
  readonly root: Value;
  steps: number;
}

/** What no mode takes for an answer. */
export class TooExpensive extends RowError {}

/** @throws TooExpensive when the path touches too many values: `$..*..*` grows with a power of what it walks through */
export function charge(run: PathRun, steps: number): void {
  run.steps += steps;
  effort.parts(5 * steps);
  if (run.steps <= limits.jsonPathSteps) return;
  throw new TooExpensive(`Cannot follow the JSON path: it touches more than ${limits.jsonPathSteps} values`);
}
