import type { Project } from "../plan/plan-projection.ts";
import type { Plan } from "../plan/plan-query.ts";
import { order } from "../value/compare.ts";
import { RowError } from "../value/row-error.ts";
import type { ObjectValue, Value } from "../value/value.ts";
import { newFrame, type Row, type WindowSpan } from "./frame.ts";
import { Groups } from "./groups.ts";

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
    for (const row of rows) groups.add(row, now);
    return this.ofGroups(groups, span, now);
  }

  ofGroups(groups: Groups, span: WindowSpan, now: number): WindowResult {
    return this.#finish(groups.results(this.#frame), span, now);
  }

  *#each(rows: readonly Row[]): Generator<null> {
    for (const row of rows) {
      this.#frame.row = row;
      yield null;
    }
  }

  /** @param filled each turn fills the frame, or says why it could not */
  #finish(filled: Iterable<RowError | null>, span: WindowSpan, now: number): WindowResult {
    const { having, orderBy, limit } = this.#plan;
    const frame = this.#frame;
    frame.window = span;
    frame.now = now;
    const kept: { readonly row: ObjectValue; readonly keys: readonly Value[] }[] = [];
    const errors: RowError[] = [];
    for (const error of filled) {
      try {
        if (error !== null) throw error;
        if (having !== null && !having(frame)) continue;
        kept.push({ row: this.#project(frame), keys: orderBy.map(({ key }) => key(frame)) });
        frame.hits++;
        frame.hitAt = now;
      } catch (thrown) {
        if (!(thrown instanceof RowError)) throw thrown;
        errors.push(thrown);
      }
    }
    if (orderBy.length > 0) kept.sort((a, b) => this.#compare(a.keys, b.keys));
    const rows = kept.map(({ row }) => row);
    return { rows: limit === null ? rows : rows.slice(0, limit), errors };
  }

  /**
   * Nulls stand last in compat mode, whatever the direction; in strict mode null is the greatest, as PostgreSQL has it.
   * What does not compare keeps its order.
   */
  #compare(a: readonly Value[], b: readonly Value[]): number {
    const { orderBy, mode } = this.#plan;
    for (const [at, { isDescending }] of orderBy.entries()) {
      const [left, right] = [a[at]!, b[at]!];
      const sign = isDescending ? -1 : 1;
      if (left === null || right === null) {
        if (left === right) continue;
        const last = left === null ? 1 : -1;
        return mode === "compat" ? last : last * sign;
      }
      const found = orderOf(left, right);
      if (found !== 0) return found * sign;
    }
    return 0;
  }
}

function orderOf(left: Value, right: Value): number {
  try {
    return order(left, right) || 0;
  } catch (error) {
    if (error instanceof RowError) return 0;
    throw error;
  }
}
