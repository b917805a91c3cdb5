import type { Mode } from "../parse/ast.ts";
import type { Stateful } from "../value/saved.ts";
import type { Value } from "../value/value.ts";
import type { Param } from "./define-function.ts";

/** What an aggregate keeps of a group. */
export interface Accumulator extends Stateful {
  /** @param args of one row, checked; null where the argument is null @throws RowError */
  add(args: readonly Value[]): void;
  /** of all that was added so far; asking changes nothing */
  result(): Value;
}

/** An aggregate over rows, and what it gives: test and documentation. */
export interface AggregateExample {
  readonly sql: string;
  readonly rows: readonly { readonly [column: string]: Value }[];
  readonly gives: Value | { readonly error: RegExp };
  /** absent: in both */
  readonly mode?: Mode;
}

export interface AggregateFunction {
  readonly kind: "aggregate";
  /** in small letters */
  readonly name: string;
  readonly also?: readonly string[];
  readonly summary: string;
  readonly params: readonly Param[];
  /** `f(*)`: the argument is the whole row as a struct */
  readonly takesStar?: boolean;
  /** true: rows whose first argument is null are added too; else they do not count */
  readonly takesNull?: boolean;
  /** true: what it keeps grows with the rows, so that the rows are kept instead, within their bound */
  readonly keeps?: boolean;
  readonly examples: readonly AggregateExample[];
  start(options: { readonly mode: Mode }): Accumulator;
}

export function defineAggregate(spec: Omit<AggregateFunction, "kind">): AggregateFunction {
  return { kind: "aggregate", ...spec };
}
