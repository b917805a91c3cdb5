import type { Saved } from "../../value/saved.ts";
import type { Row, WindowSpan } from "../frame.ts";
import type { RowOf } from "../saved-rows.ts";

/** A window that has closed: its rows in the order of their times. */
export interface Closed {
  readonly span: WindowSpan;
  readonly rows: readonly Row[];
}

/**
 * Rows by time or count. Rows come in the order of their times, and time is that of the rows: the clock where a rule counts
 * in processing time, the watermark in event time. Deterministic: the same rows and ticks close the same windows.
 */
export interface Window {
  /** A row has come; what was to close until then closes before it. */
  push(row: Row): readonly Closed[];
  /** Time has passed; no row before `now` comes any more. */
  tick(now: number): readonly Closed[];
  /** when `tick` has something to close, microseconds; null: nothing by time alone */
  due(): number | null;
  /** rows that went since too much was kept */
  readonly dropped: number;
  save(): Saved;
  /** before the first row; a window of the same kind and length gave it */
  restore(saved: Saved, rowOf: RowOf): void;
}

export const nothing: readonly Closed[] = [];
