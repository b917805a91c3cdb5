import type { Mode } from "../../parse/ast.ts";
import { RowError } from "../../value/row-error.ts";
import { shown, type Value } from "../../value/value.ts";
import { defineFunction, type ScalarFunction } from "../define-function.ts";

type Spec = Pick<ScalarFunction, "name" | "also" | "summary" | "examples"> & {
  readonly params?: ScalarFunction["params"];
  /** integers come as floats; `y` means nothing where `count` is 1 */
  of(x: number, y: number, count: number): number;
};

/**
 * A function of numbers that gives a float, also of integers. Where there is no result eKuiper gives null, and beyond what
 * a float holds an infinity; in strict mode both are errors of the row.
 */
export function realFunction({ of, ...spec }: Spec): ScalarFunction {
  return defineFunction({
    params: [{ name: "x", is: "number" }],
    ...spec,
    group: "math",
    run: (args, { mode }) => {
      const result = of(Number(args[0]), Number(args[1]), args.length);
      if (Number.isFinite(result)) return result;
      if (mode === "strict") throw noResult(spec.name, args, result);
      return Number.isNaN(result) ? null : result;
    },
  });
}

/** In strict mode a float is a number. @throws RowError */
export function finite(name: string, args: readonly Value[], { result, mode }: { result: number; mode: Mode }): number {
  if (mode === "strict" && !Number.isFinite(result)) throw noResult(name, args, result);
  return result;
}

function noResult(name: string, args: readonly Value[], result: number): RowError {
  const of = args.map(shown).join(" and ");
  const what = Number.isNaN(result) ? "there is no result" : "the result is infinite or beyond what a float holds";
  return new RowError(`Cannot call ${name} with ${of}: ${what}`);
}
