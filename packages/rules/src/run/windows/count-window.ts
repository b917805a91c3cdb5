import type { Saved } from "../../value/saved.ts";
import type { Row } from "../frame.ts";
import { KeptRows, type RowBounds, rowBounds } from "../kept-rows.ts";
import { type RowOf, rowsOf, saveRows } from "../saved-rows.ts";
import { type Closed, nothing, type Window } from "./window.ts";

/** The last `count` rows, whenever `every` more have come; not before there are so many. */
export class CountWindow implements Window {
  readonly #count: number;
  readonly #every: number;
  readonly #rows: KeptRows;
  #since = 0;

  constructor(options: { readonly count: number; readonly every: number; readonly bounds?: RowBounds }) {
    this.#count = options.count;
    this.#every = options.every;
    this.#rows = new KeptRows(options.bounds ?? rowBounds);
  }

  get dropped(): number {
    return this.#rows.dropped;
  }

  push(row: Row): readonly Closed[] {
    this.#rows.push(row);
    this.#since++;
    if (this.#rows.length > this.#count) this.#rows.forget(1);
    if (this.#since < this.#every) return nothing;
    this.#since = 0;
    if (this.#rows.length < this.#count) return nothing;
    return [{ rows: this.#rows.slice(), span: { start: this.#rows.at(0).at, end: row.at, trigger: row.at } }];
  }

  tick(): readonly Closed[] {
    return nothing;
  }

  due(): null {
    return null;
  }

  save(): Saved {
    return [saveRows(this.#rows.slice()), this.#since];
  }

  restore(saved: Saved, rowOf: RowOf): void {
    const [rows, since] = saved as readonly [Saved, number];
    for (const row of rowsOf(rows, rowOf)) this.#rows.push(row);
    this.#since = since;
  }
}
