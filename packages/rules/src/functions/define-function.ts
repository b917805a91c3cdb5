import type { Mode } from "../parse/ast.ts";
import type { Value } from "../value/value.ts";

/** Where a function stands in the reference. */
export type FunctionGroup =
  | "math"
  | "text"
  | "time"
  | "array"
  | "struct"
  | "hash"
  | "convert"
  | "json"
  | "rule"
  | "state";

/**
 * What an argument may be: `number` an integer or a float, `integer` a bigint (a float that is whole becomes one),
 * `boolean` also null. The rest is what it says.
 */
export type ParamKind = "any" | "number" | "integer" | "text" | "boolean" | "array" | "struct" | "datetime" | "bytes";

export interface Param {
  readonly name: string;
  readonly is: ParamKind | readonly ParamKind[];
  readonly isOptional?: boolean;
  /** the last one only: any number of them, at least `least` */
  readonly repeats?: { readonly least: number };
}

/** What a function may know besides its arguments. */
export interface CallContext {
  readonly mode: Mode;
  /** microseconds since 1970 UTC, the same for all of one row */
  readonly now: number;
  /** IANA name of the time zone that days and local times are counted in */
  readonly timeZone: string;
  readonly ruleId: string;
  /** from 0 up to 1, not included */
  random(): number;
}

/** A call, and what it gives: the test and the documentation of the function. */
export interface Example {
  readonly sql: string;
  /** values of the columns that the call names */
  readonly of?: { readonly [column: string]: Value };
  readonly gives: Value | { readonly error: RegExp };
  /** absent: in both */
  readonly mode?: Mode;
}

export interface ScalarFunction {
  readonly kind: "scalar";
  /** in small letters */
  readonly name: string;
  /** further names that mean the same */
  readonly also?: readonly string[];
  readonly group: FunctionGroup;
  readonly summary: string;
  readonly params: readonly Param[];
  /** true: it is called with null arguments too; else null in, null out */
  readonly takesNull?: boolean;
  /** false: the same arguments may give another value, so nothing is computed beforehand */
  readonly isPure?: boolean;
  readonly examples: readonly Example[];
  /** @throws RowError */
  run(args: readonly Value[], context: CallContext): Value;
}

export function defineFunction(spec: Omit<ScalarFunction, "kind">): ScalarFunction {
  return { kind: "scalar", ...spec };
}
