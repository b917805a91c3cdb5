import type { Mode } from "../parse/ast.ts";
import type { Stateful } from "../value/saved.ts";
import type { Value } from "../value/value.ts";
import type { Param } from "./define-function.ts";

/** What an analytic function remembers of the rows before. */
export interface Memory extends Stateful {
  /** one more row; its arguments, checked @returns what the function gives for it @throws RowError */
  next(args: readonly Value[]): Value;
}

/** Rows in order, and what the call gives for each. */
export interface AnalyticExample {
  readonly sql: string;
  readonly rows: readonly { readonly [column: string]: Value }[];
  readonly gives: readonly Value[];
  /** absent: in both */
  readonly mode?: Mode;
}

/** A function that looks at the rows before, of a whole rule: it runs before WHERE, on every row. */
export interface AnalyticFunction {
  readonly kind: "analytic";
  /** in small letters */
  readonly name: string;
  readonly summary: string;
  readonly params: readonly Param[];
  /** `f(x, *)`: the last argument is the whole row as a struct */
  readonly takesStar?: boolean;
  readonly examples: readonly AnalyticExample[];
  start(options: { readonly mode: Mode }): Memory;
}

export function defineAnalytic(spec: Omit<AnalyticFunction, "kind">): AnalyticFunction {
  return { kind: "analytic", ...spec };
}
