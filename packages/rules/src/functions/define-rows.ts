import type { Mode } from "../parse/ast.ts";
import type { ObjectValue, Value } from "../value/value.ts";
import type { Param } from "./define-function.ts";

/** A select list over one row, and the rows that it gives: test and documentation. */
export interface RowsExample {
  readonly select: string;
  readonly row: ObjectValue;
  readonly gives: readonly ObjectValue[] | { readonly error: RegExp };
  /** absent: in both */
  readonly mode?: Mode;
}

/**
 * A function that makes several rows of one: each has what else was selected, and one of the values. A struct among the
 * values is not a value of the row: its fields are, and take the place of columns with their names.
 */
export interface RowsFunction {
  readonly kind: "rows";
  /** in small letters */
  readonly name: string;
  readonly summary: string;
  /** it has one */
  readonly param: Param;
  readonly examples: readonly RowsExample[];
  /** @throws RowError */
  run(value: Value, mode: Mode): readonly Value[];
}

export function defineRows(spec: Omit<RowsFunction, "kind">): RowsFunction {
  return { kind: "rows", ...spec };
}
