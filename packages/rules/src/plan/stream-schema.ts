import type { ColumnType } from "../parse/ast.ts";
import type { TimeTexts } from "../value/compare.ts";

/** What is known of a stream, or of a table, when a query is planned. */
export interface StreamSchema {
  readonly name: string;
  /** null: nothing is known of what comes; every name may be a column */
  readonly columns: ReadonlyMap<string, ColumnType> | null;
  /** absent: it is a stream */
  readonly table?: TableSchema;
}

/**
 * A table is only joined: its rows give no results by themselves.
 *
 * - `scan`: the last `rows` of what comes are kept by the rule, with `key` the last row for each value of that column;
 *   null: one, and with a key as many as a rule may keep
 * - `memory`: a lookup table of rows that come, the last for each value of `key`
 * - `lookup`: its rows are somewhere else, and asked for by the values that they are to have; an answer is true for
 *   `keepMicros`, null: for ever, and 0: for those alone that wait for it; `most` answers are kept
 */
export type TableSchema =
  | { readonly t: "scan"; readonly rows: number | null; readonly key: string | null }
  | { readonly t: "memory"; readonly key: string | null }
  | { readonly t: "lookup"; readonly keepMicros: number | null; readonly most: number };

/** @returns null when there is no such stream */
export type Catalog = (name: string) => StreamSchema | null;

/** What a source of a query has to put into its rows, in this order. */
export interface SourceLayout {
  readonly stream: string;
  /** its place in the query */
  readonly source: number;
  /** by which the query names it */
  readonly alias: string;
  readonly columns: readonly RowColumn[];
  /** place of its first column in the rows of the query */
  readonly offset: number;
  /** how its texts tell moments */
  readonly times: TimeTexts;
}
/** A column; all that the event has, as one struct; or something about the event. */
export type RowColumn =
  | { readonly t: "column"; readonly name: string }
  | { readonly t: "all" }
  | { readonly t: "meta"; readonly name: string };
