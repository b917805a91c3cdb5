import type { Saved } from "../../value/saved.ts";
import { effort } from "../effort.ts";
import type { Row } from "../frame.ts";
import { KeptRows, type RowBounds, rowBounds } from "../kept-rows.ts";
import { type RowOf, rowsOf, saveRows } from "../saved-rows.ts";
import { type Aligned, firstEnd, nextEnd } from "./alignment.ts";
import { type Closed, nothing, type Window } from "./window.ts";

/**
 * Rows until none comes for `gap`, or until it has lasted too long. In strict mode that is `most` after its first row; in
 * compat mode it is looked at aligned moments only, as eKuiper does it.
 */
export class SessionWindow implements Window {
  readonly #gapMicros: number;
  readonly #mostMicros: number;
  readonly #ticks: Aligned;
  readonly #rows: KeptRows;
  /** of the first row, also when that is gone */
  #began = 0;
  /** compat: the next moment at which its length is looked at */
  #look: number | null = null;

  constructor(options: {
    readonly gapMicros: number;
    readonly mostMicros: number;
    readonly ticks: Aligned;
    readonly bounds?: RowBounds;
  }) {
    this.#gapMicros = options.gapMicros;
    this.#mostMicros = options.mostMicros;
    this.#ticks = options.ticks;
    this.#rows = new KeptRows(options.bounds ?? rowBounds);
  }

  get dropped(): number {
    return this.#rows.dropped;
  }

  push(row: Row): readonly Closed[] {
    const closed = this.tick(row.at);
    if (this.#rows.length === 0) {
      this.#began = row.at;
      if (this.#ticks.mode === "compat") this.#look = firstEnd(row.at, this.#ticks);
    }
    this.#rows.push(row);
    return closed;
  }

  tick(now: number): readonly Closed[] {
    const closed: Closed[] = [];
    for (let due = this.due(); due !== null && due <= now; due = this.due()) {
      effort.step();
      const { rows } = this.#split(due);
      if (rows.length === 0) continue;
      closed.push({ rows, span: { start: this.#began, end: due, trigger: due } });
    }
    return closed.length === 0 ? nothing : closed;
  }

  /** Closes at `due`, or only looks. */
  #split(due: number): { readonly rows: readonly Row[] } {
    const isOver = due === this.#rows.last!.at + this.#gapMicros || due === this.#longest();
    if (due === this.#look) this.#look = nextEnd(due, this.#ticks);
    if (!isOver) return { rows: [] };
    const rows = this.#rows.slice();
    this.#rows.clear();
    return { rows };
  }

  due(): number | null {
    if (this.#rows.length === 0) return null;
    return Math.min(this.#rows.last!.at + this.#gapMicros, this.#longest(), this.#look ?? Number.POSITIVE_INFINITY);
  }

  save(): Saved {
    return [saveRows(this.#rows.slice()), this.#look, this.#began];
  }

  restore(saved: Saved, rowOf: RowOf): void {
    const [rows, look, began] = saved as readonly [Saved, number | null, number];
    for (const row of rowsOf(rows, rowOf)) this.#rows.push(row);
    this.#look = look;
    this.#began = began;
  }

  /** When it has lasted too long; in compat mode the first look at which it has. */
  #longest(): number {
    const end = this.#began + this.#mostMicros;
    if (this.#ticks.mode === "strict" || this.#look === null) return end;
    return this.#look >= end ? this.#look : Number.POSITIVE_INFINITY;
  }
}
