import type { PlannedJoin, PlannedTable } from "../plan/plan-join.ts";
import type { Saved } from "../value/saved.ts";
import type { Value } from "../value/value.ts";
import type { Row } from "./frame.ts";
import { keyText } from "./join-key.ts";
import { charsOf, type RowBounds, rowBounds } from "./kept-rows.ts";
import { indexed, type RightRows } from "./right-rows.ts";
import { type RowOf, rowsOf, saveRows } from "./saved-rows.ts";

/**
 * A joined table that the rule keeps: the last rows, or the last row for each value of its key. Its rows are wide, with a
 * place for the values of all sources. Changing it costs one look at all its rows at the next join.
 */
export class Table {
  readonly #join: PlannedJoin;
  readonly #of: PlannedTable & { readonly t: "kept" };
  readonly #bounds: RowBounds;
  #chars = 0;
  /** rows that went though the table may have so many, since too much was kept */
  dropped = 0;
  /** what came last is last; without a key each row has a number */
  readonly #rows = new Map<string | number, Row>();
  #number = 0;
  #right: RightRows | null = null;

  constructor(join: PlannedJoin, of: PlannedTable & { readonly t: "kept" }, bounds = rowBounds) {
    this.#bounds = bounds;
    this.#join = join;
    this.#of = of;
  }

  /** The oldest goes where there are more rows than may be kept. */
  take(row: Row): void {
    const { key, rows } = this.#of;
    const under = key === null ? this.#number++ : keyText([row.values[key.place] as Value]);
    this.#remove(under);
    this.#rows.set(under, row);
    this.#chars += charsOf(row);
    if (this.#rows.size > rows && rows < this.#bounds.rows) this.#remove(this.#rows.keys().next().value!);
    while (this.#rows.size > this.#bounds.rows || (this.#chars > this.#bounds.chars && this.#rows.size > 1)) {
      this.#remove(this.#rows.keys().next().value!);
      this.dropped++;
    }
    this.#right = null;
  }

  #remove(under: string | number): void {
    const row = this.#rows.get(under);
    if (row === undefined) return;
    this.#chars -= charsOf(row);
    this.#rows.delete(under);
  }

  get right(): RightRows {
    this.#right ??= indexed(this.#join.equal, [...this.#rows.values()]);
    return this.#right;
  }

  /** With whether its rows have been looked at: what is done once is counted once, also over a restart. */
  save(): Saved {
    return [saveRows([...this.#rows.values()]), this.#right !== null];
  }

  restore(saved: Saved, rowOf: RowOf): void {
    const [rows, isIndexed] = saved as readonly [Saved, boolean];
    for (const row of rowsOf(rows, rowOf)) this.take(row);
    if (isIndexed) this.#right = indexed(this.#join.equal, [...this.#rows.values()]);
  }
}
