import type { Mode } from "../src/parse/ast.ts";

/** A query, what comes, and what it gives: written as messages and results are seen outside, as JSON. */
export interface QueryCase {
  readonly name: string;
  readonly sql: string;
  /** absent: in both, with the same result */
  readonly mode?: Mode;
  /** CREATE STREAM and CREATE TABLE statements; a stream that none defines takes what comes */
  readonly streams?: readonly string[];
  /** [milliseconds, message] of the only stream, or [milliseconds, message, stream]; in the order in which they come */
  readonly in: readonly (readonly [number, object] | readonly [number, object, string])[];
  /** what is known of every message beside its content */
  readonly meta?: { readonly [name: string]: string | object };
  /** the clock at the end, milliseconds; the last message's unless stated */
  readonly until?: number;
  /** rows are of the time in their column ts, milliseconds; absent: of when they come */
  readonly eventTime?: { readonly lateMs?: number; readonly idleMs?: number };
  /** all that is in lookup tables that are asked; of a table that is not here nothing is known */
  readonly lookups?: { readonly [table: string]: readonly { readonly [column: string]: unknown }[] };
  /** results without columns that are null */
  readonly omitNull?: boolean;
  /** each output in order: rows, or why there are none */
  readonly out: readonly (readonly object[] | RegExp)[];
  /** refused when planned, instead of `out` */
  readonly refused?: RegExp;
}
