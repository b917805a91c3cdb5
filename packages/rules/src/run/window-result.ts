import type { Project } from "../plan/plan-projection.ts";
import type { Plan } from "../plan/plan-query.ts";
import { RowError } from "../value/row-error.ts";
import type { Stateful } from "../value/saved.ts";
import type { ObjectValue, Value } from "../value/value.ts";
import { effort } from "./effort.ts";
import { newFrame, type Row, type WindowSpan } from "./frame.ts";
import { Groups } from "./groups.ts";
import { type Filled, numberRows } from "./number-rows.ts";
import { compareKeys } from "./sort-keys.ts";

export interface WindowResult {
  readonly rows: readonly ObjectValue[];
  /** why groups or rows have no result */
  readonly errors: readonly RowError[];
}

/** What a window's rows give: grouped where the query groups, chosen by HAVING, sorted, the first of them. */
export class WindowResults {
  readonly #plan: Plan;
  readonly #project: Project;
  readonly #frame = newFrame();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#project = plan.startProjection();
  }

  ofRows(rows: readonly Row[], span: WindowSpan, now: number): WindowResult {
    const { grouping } = this.#plan;
    if (grouping === null) return this.#finish(this.#each(rows), span, now);
    const groups = new Groups(grouping);
    for (const row of rows) {
      effort.step();
      groups.add(row, now);
    }
    return this.ofGroups(groups, span, now);
  }

  ofGroups(groups: Groups, span: WindowSpan, now: number): WindowResult {
    return this.#finish(groups.results(this.#frame), span, now);
  }

  *#each(rows: readonly Row[]): Generator<null> {
    for (const row of rows) {
      effort.step();
      this.#frame.row = row;
      yield null;
    }
  }

  /** @param filled each turn fills the frame, or says why it could not */
  #finish(filled: Iterable<RowError | null>, span: WindowSpan, now: number): WindowResult {
    const { having, orderBy, limit, numberings, mode } = this.#plan;
    const frame = this.#frame;
    frame.window = span;
    frame.now = now;
    const errors: RowError[] = [];
    const found: Filled[] = [];
    for (const error of filled) {
      this.#guarded(errors, () => {
        if (error !== null) throw error;
        if (having === null || having(frame)) found.push({ row: frame.row, aggregates: frame.aggregates });
      });
    }
    const numbers = numberings.length === 0 ? null : numberRows(found, { numberings, frame, mode });
    const kept: { readonly row: ObjectValue; readonly keys: readonly Value[] }[] = [];
    for (const [at, one] of found.entries()) {
      effort.step();
      frame.row = one.row;
      frame.aggregates = one.aggregates;
      if (numbers !== null) frame.numbers = numbers[at]!;
      this.#guarded(errors, () => {
        kept.push({ row: this.#project.row(frame), keys: orderBy.map(({ key }) => key(frame)) });
        frame.hits++;
        frame.hitAt = now;
      });
    }
    if (orderBy.length > 0) {
      effort.sort(kept.length * orderBy.length);
      kept.sort((a, b) => compareKeys(orderBy, mode, a.keys, b.keys));
    }
    const rows = kept.map(({ row }) => row);
    return { rows: limit === null ? rows : rows.slice(0, limit), errors };
  }

  /** how many results there were, and when the last was: what they count depends on what chooses them */
  readonly hits: Stateful = {
    save: () => [this.#frame.hits, this.#frame.hitAt],
    restore: (saved) => {
      [this.#frame.hits, this.#frame.hitAt] = saved as [number, number | null];
    },
  };

  get projection(): Stateful {
    return this.#project;
  }

  #guarded(errors: RowError[], work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      errors.push(error);
    }
  }
}
