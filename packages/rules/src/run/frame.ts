import type { Value } from "../value/value.ts";

/**
 * One event as a rule sees it: a value for each column that the rule uses, at the place that the plan gave it. Rows of
 * joined streams are one behind the other. Rows never change once made: windows keep them.
 */
export interface Row {
  /** when it happened, or came where the rule counts in processing time; microseconds */
  readonly at: number;
  /** place of its stream in the query; of a joined row the first one's */
  readonly source: number;
  readonly values: readonly Value[];
}

/** From `start` to `end`, in microseconds, and the moment at which it was closed. */
export interface WindowSpan {
  readonly start: number;
  readonly end: number;
  readonly trigger: number;
}

/** What an expression is evaluated in. One for each rule, filled anew for each row: nothing keeps it. */
export interface Frame {
  row: Row;
  /** results of the aggregates of the query for the group, the first row of which is `row` */
  aggregates: readonly Value[];
  window: WindowSpan | null;
  /** the clock, microseconds */
  now: number;
  /** of this result, by each row_number of the query; empty where nothing is numbered */
  numbers: readonly number[];
  /** how many rows, or groups, were kept before this one, and when the last was; null: none */
  hits: number;
  hitAt: number | null;
}

/** @throws RowError when the row has no such value */
export type Evaluate = (frame: Frame) => Value;

export function newFrame(): Frame {
  return {
    row: { at: 0, source: 0, values: [] },
    aggregates: [],
    window: null,
    now: 0,
    numbers: [],
    hits: 0,
    hitAt: null,
  };
}
