import type { PlannedJoin, PlannedTable } from "../plan/plan-join.ts";
import type { Saved } from "../value/saved.ts";
import type { Value } from "../value/value.ts";
import type { Row } from "./frame.ts";
import { keyText } from "./join-key.ts";
import { indexed, type RightRows } from "./right-rows.ts";
import { type RowOf, rowsOf, saveRows } from "./saved-rows.ts";

/**
 * A joined table that the rule keeps: the last rows, or the last row for each value of its key. Its rows are wide, with a
 * place for the values of all sources. Changing it costs one look at all its rows at the next join.
 */
export class Table {
  readonly #join: PlannedJoin;
  readonly #of: PlannedTable & { readonly t: "kept" };
  /** what came last is last; without a key each row has a number */
  readonly #rows = new Map<string | number, Row>();
  #number = 0;
  #right: RightRows | null = null;

  constructor(join: PlannedJoin, of: PlannedTable & { readonly t: "kept" }) {
    this.#join = join;
    this.#of = of;
  }

  /** The oldest goes where there are more rows than may be kept. */
  take(row: Row): void {
    const { key, rows } = this.#of;
    const under = key === null ? this.#number++ : keyText([row.values[key.place] as Value]);
    this.#rows.delete(under);
    this.#rows.set(under, row);
    if (this.#rows.size > rows) this.#rows.delete(this.#rows.keys().next().value!);
    this.#right = null;
  }

  get right(): RightRows {
    this.#right ??= indexed(this.#join.equal, [...this.#rows.values()]);
    return this.#right;
  }

  save(): Saved {
    return saveRows([...this.#rows.values()]);
  }

  restore(saved: Saved, rowOf: RowOf): void {
    for (const row of rowsOf(saved, rowOf)) this.take(row);
  }
}
