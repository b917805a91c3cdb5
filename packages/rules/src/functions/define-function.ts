import type { Mode } from "../parse/ast.ts";
import type { Value } from "../value/value.ts";

/** Where a function stands in the reference, and its folder here. */
export const functionGroups = ["math", "text", "time", "array", "struct", "hash", "convert", "json", "rule"] as const;
export type FunctionGroup = (typeof functionGroups)[number];

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

/** What this package may not do itself: it knows no module of Node. */
export interface HostFunctions {
  digest(algorithm: "md5" | "sha1" | "sha256" | "sha384" | "sha512", bytes: Uint8Array): Uint8Array;
  compress(method: Compression, bytes: Uint8Array): Uint8Array;
  /** @throws Error for what cannot be unpacked, or unpacks to more than 1 MiB */
  decompress(method: Compression, bytes: Uint8Array): Uint8Array;
  /** from 0 up to 1, not included */
  random(): number;
  /** a random UUID, version 4 */
  uuid(): string;
  /** what the gateway is told about itself under this name; null: nothing. Left out: it is told nothing */
  property?(name: string): string | null;
  /** what others keep under this key for rules to read; null: nothing. Left out: nobody keeps anything */
  keyedState?(key: string): Value;
}
export type Compression = "gzip" | "zlib" | "flate" | "zstd";

/** What a function may know besides its arguments. */
export interface CallContext {
  readonly mode: Mode;
  /** microseconds since 1970 UTC, the same for all of one row */
  readonly now: number;
  /** IANA name of the time zone that days and local times are counted in */
  readonly timeZone: string;
  readonly ruleId: string;
  readonly host: HostFunctions;
  /** by one of its names, in small letters */
  functionNamed(name: string): ScalarFunction | undefined;
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
  /** place of the argument that something is made of, such as a regular expression: one that is not written down costs more */
  readonly compiles?: number;
  /** true: it is called with null arguments too; else null in, null out */
  readonly takesNull?: boolean;
  /** false: the same arguments may give another value, so nothing is computed beforehand */
  readonly isPure?: boolean;
  readonly examples: readonly Example[];
  /**
   * Looks at the arguments that are written in the query, when the rule is saved; undefined where one is not known yet.
   *
   * @throws RowError for one that is an error of every row, such as a bad regular expression
   */
  check?(literals: readonly (Value | undefined)[], context: Pick<CallContext, "mode" | "timeZone">): void;
  /** @throws RowError */
  run(args: readonly Value[], context: CallContext): Value;
}

export function defineFunction(spec: Omit<ScalarFunction, "kind">): ScalarFunction {
  return { kind: "scalar", ...spec };
}
