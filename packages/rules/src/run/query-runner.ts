import type { RunningAnalytic } from "../plan/compile-analytic.ts";
import { truthOf } from "../plan/compile-expression.ts";
import { expandAll } from "../plan/plan-expansion.ts";
import type { Project } from "../plan/plan-projection.ts";
import type { Plan } from "../plan/plan-query.ts";
import { RowError } from "../value/row-error.ts";
import { restoreEach, type Saved, saveEach } from "../value/saved.ts";
import type { ObjectValue } from "../value/value.ts";
import { AwaitedJoins, type WaitingBounds } from "./awaited-joins.ts";
import { effort } from "./effort.ts";
import { type Evaluate, type Frame, newFrame, type Row, type WindowSpan } from "./frame.ts";
import { Joins } from "./joins.ts";
import { type RowBounds, rowBounds } from "./kept-rows.ts";
import type { Answer, Wanted } from "./lookup.ts";
import { rowReaderFor } from "./saved-rows.ts";
import { WindowResults } from "./window-result.ts";
import { TumblingGroups } from "./windows/tumbling-groups.ts";
import type { Closed, Window } from "./windows/window.ts";
import { withoutNulls } from "./without-nulls.ts";

/** Where results and errors go; one `rows` for each row that passes, or for each window that closes. */
export interface Output {
  /** @param number counts from 1 over the rule's life; after `restore` it goes on */
  rows(rows: readonly ObjectValue[], number: number): void;
  error(error: RowError): void;
}

/** What `QueryRunner.save` gives. */
interface SavedRule {
  readonly number: number;
  readonly query: string;
  readonly startedAt: number;
  readonly hits: readonly [fingerprint: string, hits: number, hitAt: number | null, results: Saved];
  readonly analytics: Saved;
  readonly projections: readonly [Saved, Saved];
  readonly tables: Saved;
  /** null: the query asks no lookup tables */
  readonly awaited: Saved;
  readonly window: readonly [window: string, keys: string, values: readonly string[], rows: Saved];
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
  readonly #analytics: readonly RunningAnalytic[];
  readonly #joins: Joins;
  /** null: the query asks no lookup tables */
  readonly #awaited: AwaitedJoins | null;
  #number = 0;

  /**
   * @param bounds  of what each window and table of it keeps
   * @param waiting  of what waits for answers of lookup tables
   */
  constructor(plan: Plan, output: Output, bounds: RowBounds = rowBounds, waiting?: WaitingBounds) {
    this.#plan = plan;
    this.#output = output;
    const { window, grouping, isAddedUp } = plan;
    const hop = isAddedUp ? (window?.tumbles ?? null) : null;
    this.#tumbling = hop === null || grouping === null ? null : new TumblingGroups({ hop, grouping, bounds });
    this.#window = this.#tumbling === null ? (window?.start(bounds) ?? null) : null;
    this.#joins = new Joins(plan, bounds);
    this.#awaited = plan.joins.some(({ table }) => table?.t === "asked") ? this.#awaiting(waiting) : null;
    this.#results = new WindowResults(plan);
    this.#project = plan.startProjection();
    this.#analytics = plan.analytics.map((one) => one.start());
  }

  /** rows that WHERE and FILTER let pass, of a query without joins */
  get hits(): number {
    return this.#frame.hits;
  }

  /**
   * rows that went since too much was kept, of windows and tables, or too many waited for answers; of windows that only add
   * up, groups
   */
  get dropped(): number {
    const waiting = this.#awaited?.dropped ?? 0;
    return ((this.#tumbling ?? this.#window)?.dropped ?? 0) + this.#joins.dropped + waiting;
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
    if (this.#window !== null) this.#toWindow(this.#window, row, now);
  }

  /** Time has passed to `until`: no row before it comes any more. */
  tick(until: number, now: number): void {
    this.#awaited?.settle();
    this.#closeGroups(until, now);
    if (this.#window !== null) this.#close(this.#window.tick(until), now);
  }

  /** when `tick` has something to do, microseconds of the rows' time; null: nothing by time alone */
  due(): number | null {
    return this.#awaited?.readySince ?? this.#tumbling?.due() ?? this.#window?.due() ?? null;
  }

  /** Analytic functions see every row, also those that WHERE leaves out. */
  #computed(row: Row, now: number): Row {
    const frame = this.#frame;
    frame.row = row;
    frame.now = now;
    return {
      at: row.at,
      source: row.source,
      values: [...row.values, ...this.#analytics.map((one) => one.next(frame))],
    };
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
    const { grouping, having, limit } = this.#plan;
    if (grouping === null && having === null) {
      this.#put(limit === 0 ? [] : [this.#project.row(this.#frame)]);
      return;
    }
    this.#tell(this.#results.ofRows([row], { start: row.at, end: row.at, trigger: row.at }, now));
  }

  /** Rows of tables are kept; without a window a stream's row is joined by itself, with tables. */
  #toJoin(row: Row, now: number): void {
    const wide = this.#joins.widened(row);
    if (this.#joins.isTable(wide)) {
      if (this.#awaited === null) this.#joins.takes(wide);
      else this.#awaited.tableRow(wide);
      return;
    }
    try {
      if (!this.#passes(this.#plan.window?.filter ?? null, wide, now)) return;
    } catch (error) {
      this.#failed(error);
      return;
    }
    const { at } = row;
    if (this.#window !== null) this.#toWindow(this.#window, wide, now);
    else this.#close([{ rows: [wide], span: { start: at, end: at, trigger: at } }], now);
  }

  /** A row whose partition cannot be computed is in no window. */
  #toWindow(window: Window, row: Row, now: number): void {
    let closed: readonly Closed[];
    try {
      closed = window.push(row);
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#close(closed, now);
  }

  #closeGroups(until: number, now: number): void {
    const closed = this.#tumbling?.close(until) ?? null;
    if (closed === null) return;
    try {
      this.#tell(this.#results.ofGroups(closed.groups, closed.span, now));
    } catch (error) {
      this.#failed(error);
    }
  }

  #close(closed: readonly Closed[], now: number): void {
    for (const one of closed) {
      if (this.#awaited !== null) this.#awaited.join(one, now);
      else if (this.#plan.joins.length === 0) this.#giveOf(one.rows, one.span, now);
      else this.#giveJoined(one, now);
    }
  }

  #giveJoined({ rows, span }: Closed, now: number): void {
    try {
      this.#giveOf(this.#joins.of(rows), span, now);
    } catch (error) {
      this.#failed(error);
    }
  }

  #awaiting(bounds: WaitingBounds | undefined): AwaitedJoins {
    return new AwaitedJoins({
      ...{ plan: this.#plan, joins: this.#joins, ...(bounds !== undefined && { bounds }) },
      give: (rows, span, now) => this.#giveOf(rows, span, now),
      failed: (error) => this.#failed(error),
    });
  }

  /** @param rows of a window, joined where the query joins */
  #giveOf(rows: readonly Row[], span: WindowSpan, now: number): void {
    const { joins, where } = this.#plan;
    try {
      const right = joins.length === 0 || where === null ? rows : rows.filter((row) => this.#isRight(where, row, now));
      this.#tell(this.#results.ofRows(right, span, now));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A row whose condition cannot be computed is an error of its own, and the others stay. */
  #isRight(where: (frame: Frame) => boolean, row: Row, now: number): boolean {
    effort.step();
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
    if (rows.length > 0) this.#put(rows);
  }

  #put(results: readonly ObjectValue[]): void {
    const { expansion, omitsNull } = this.#plan;
    const rows = expansion === null ? results : expandAll(results, expansion, (error) => this.#failed(error));
    if (rows.length === 0) return;
    this.#number++;
    this.#output.rows(omitsNull ? rows.map(withoutNulls) : rows, this.#number);
  }

  /** What lookup tables are to be asked and have not answered; each once. What waits for it is joined when it is there. */
  get wanted(): readonly Wanted[] {
    return this.#awaited?.wanted ?? [];
  }

  /** those of them that came since this was called last */
  newlyWanted(): readonly Wanted[] {
    return this.#awaited?.newlyWanted() ?? [];
  }

  /** Lookup tables have answered, or will not. In the order of the rows, since it decides what these are joined with. */
  answer(answers: readonly Answer[], now: number): void {
    this.#awaited?.answer(answers, now);
  }

  /** of the last output; 0: none so far */
  get number(): number {
    return this.#number;
  }

  /** The next output has the number after it; never fewer than there were. */
  numberFrom(number: number): void {
    this.#number = Math.max(this.#number, number);
  }

  /** All that the rule remembers. It stays what it is when more rows come. */
  save(): Saved {
    const { fingerprints, began } = this.#plan;
    const { hits, hitAt } = this.#frame;
    return {
      number: this.#number,
      query: fingerprints.query,
      startedAt: began.startedAt,
      hits: [fingerprints.hits, hits, hitAt, this.#results.hits.save()],
      analytics: saveEach(this.#analytics),
      projections: [this.#project.save(), this.#results.projection.save()],
      tables: this.#joins.save(),
      awaited: this.#awaited?.save() ?? null,
      window: [
        fingerprints.window,
        fingerprints.keys,
        fingerprints.values,
        this.#tumbling?.save() ?? this.#window?.save() ?? null,
      ],
    };
  }

  /**
   * Takes up what a runner of this query, or of another, has saved, before the first row. Of another query each part is
   * taken that is the same there; the others begin anew. Output numbers always go on.
   */
  restore(saved: Saved): void {
    const { fingerprints, began } = this.#plan;
    const kept = saved as unknown as SavedRule;
    this.numberFrom(kept.number);
    if (kept.query === fingerprints.query) began.startedAt = kept.startedAt;
    const [hitsOf, hits, hitAt, results] = kept.hits;
    if (hitsOf === fingerprints.hits) {
      Object.assign(this.#frame, { hits, hitAt });
      this.#results.hits.restore(results);
    }
    restoreEach(this.#analytics, kept.analytics);
    this.#project.restore(kept.projections[0]);
    this.#results.projection.restore(kept.projections[1]);
    const [window, keys, values, rows] = kept.window;
    const rowOf = rowReaderFor(values, fingerprints.values);
    if (rowOf !== null) this.#joins.restore(kept.tables, rowOf);
    if ((kept.awaited ?? null) !== null) this.#awaited?.restore(kept.awaited, rowOf);
    if (rows === null || rowOf === null || window !== fingerprints.window) return;
    if (this.#tumbling === null) this.#window?.restore(rows, rowOf);
    else if (keys === fingerprints.keys) this.#tumbling.restore(rows, rowOf);
  }

  #failed(error: unknown): void {
    if (!(error instanceof RowError)) throw error;
    this.#output.error(error);
  }
}
