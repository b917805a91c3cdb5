import { truthOf } from "../plan/compile-expression.ts";
import type { Project } from "../plan/plan-projection.ts";
import type { Plan } from "../plan/plan-query.ts";
import { RowError } from "../value/row-error.ts";
import type { ObjectValue, Value } from "../value/value.ts";
import { type Evaluate, type Frame, newFrame, type Row } from "./frame.ts";
import { joinRows } from "./join-rows.ts";
import { WindowResults } from "./window-result.ts";
import { TumblingGroups } from "./windows/tumbling-groups.ts";
import type { Closed, Window } from "./windows/window.ts";

/** Where results and errors go; one `rows` for each row that passes, or for each window that closes. */
export interface Output {
  rows(rows: readonly ObjectValue[]): void;
  error(error: RowError): void;
}

/**
 * A query at work. Rows come in the order of their times; the same rows and ticks give the same output.
 */
export class QueryRunner {
  readonly #plan: Plan;
  readonly #output: Output;
  readonly #project: Project;
  readonly #frame = newFrame();
  readonly #window: Window | null;
  /** in place of a window whose rows nobody asks for */
  readonly #tumbling: TumblingGroups | null;
  readonly #results: WindowResults;
  readonly #analytics: readonly ((frame: Frame) => Value)[];

  constructor(plan: Plan, output: Output) {
    this.#plan = plan;
    this.#output = output;
    const { window, grouping, joins } = plan;
    const hop = joins.length === 0 ? (window?.tumbles ?? null) : null;
    this.#tumbling = hop === null || grouping === null ? null : new TumblingGroups({ hop, grouping });
    this.#window = this.#tumbling === null ? (window?.start() ?? null) : null;
    this.#results = new WindowResults(plan);
    this.#project = plan.startProjection();
    this.#analytics = plan.analytics.map((one) => one.start());
  }

  push(read: Row, now: number): void {
    if (this.#plan.joins.length > 0) {
      this.#toJoin(read, now);
      return;
    }
    let row = read;
    try {
      if (this.#analytics.length > 0) row = this.#computed(read, now);
      if (!this.#isKept(row, now)) return;
      if (this.#tumbling !== null) {
        this.#closeGroups(row.at, now);
        this.#tumbling.add(row, now);
      } else if (this.#window === null) this.#alone(row, now);
      this.#frame.hits++;
      this.#frame.hitAt = now;
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (this.#window !== null) this.#close(this.#window.push(row), now);
  }

  /** Time has passed to `until`: no row before it comes any more. */
  tick(until: number, now: number): void {
    this.#closeGroups(until, now);
    if (this.#window !== null) this.#close(this.#window.tick(until), now);
  }

  /** when `tick` has something to do, microseconds of the rows' time; null: nothing by time alone */
  due(): number | null {
    return this.#tumbling?.due() ?? this.#window?.due() ?? null;
  }

  /** Analytic functions see every row, also those that WHERE leaves out. */
  #computed(row: Row, now: number): Row {
    const frame = this.#frame;
    frame.row = row;
    frame.now = now;
    return { at: row.at, source: row.source, values: [...row.values, ...this.#analytics.map((next) => next(frame))] };
  }

  #isKept(row: Row, now: number): boolean {
    const { where, window } = this.#plan;
    const frame = this.#frame;
    frame.row = row;
    frame.now = now;
    return (where === null || where(frame)) && this.#passes(window?.filter ?? null, row, now);
  }

  #passes(filter: Evaluate | null, row: Row, now: number): boolean {
    this.#frame.row = row;
    this.#frame.now = now;
    return filter === null || truthOf(filter(this.#frame), "FILTER") === true;
  }

  #alone(row: Row, now: number): void {
    const { grouping, having } = this.#plan;
    if (grouping === null && having === null) {
      this.#output.rows([this.#project(this.#frame)]);
      return;
    }
    this.#tell(this.#results.ofRows([row], { start: row.at, end: row.at, trigger: row.at }, now));
  }

  /** Each row of a join has room for the values of all sources. */
  #toJoin(row: Row, now: number): void {
    const { sources, window } = this.#plan;
    const { offset } = sources[row.source]!;
    const last = sources.at(-1)!;
    const values = new Array<Value>(last.offset + last.columns.length).fill(null);
    for (const [at, value] of row.values.entries()) values[offset + at] = value;
    const wide = { at: row.at, source: row.source, values };
    try {
      if (!this.#passes(window?.filter ?? null, wide, now)) return;
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#close(this.#window!.push(wide), now);
  }

  #closeGroups(until: number, now: number): void {
    const closed = this.#tumbling?.close(until) ?? null;
    if (closed !== null) this.#tell(this.#results.ofGroups(closed.groups, closed.span, now));
  }

  #close(closed: readonly Closed[], now: number): void {
    for (const { rows, span } of closed) {
      try {
        this.#tell(this.#results.ofRows(this.#joined(rows, now), span, now));
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #joined(rows: readonly Row[], now: number): readonly Row[] {
    const { joins, sources, where } = this.#plan;
    if (joins.length === 0) return rows;
    const spans = sources.map(({ offset, columns }) => ({ from: offset, to: offset + columns.length }));
    const joined = joinRows(joins, { rows, spans });
    return where === null ? joined : joined.filter((row) => this.#isRight(where, row, now));
  }

  /** A row whose condition cannot be computed is an error of its own, and the others stay. */
  #isRight(where: (frame: Frame) => boolean, row: Row, now: number): boolean {
    this.#frame.row = row;
    this.#frame.now = now;
    try {
      return where(this.#frame);
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #tell({ rows, errors }: ReturnType<WindowResults["ofRows"]>): void {
    for (const error of errors) this.#output.error(error);
    if (rows.length > 0) this.#output.rows(rows);
  }

  #failed(error: unknown): void {
    if (!(error instanceof RowError)) throw error;
    this.#output.error(error);
  }
}
