import type { Saved } from "../../value/saved.ts";
import { effort } from "../effort.ts";
import type { Row } from "../frame.ts";
import { KeptRows, type RowBounds, rowBounds } from "../kept-rows.ts";
import { type RowOf, rowsOf, saveRows } from "../saved-rows.ts";
import { type Closed, nothing, type Window } from "./window.ts";

/**
 * One window for each row that triggers: from `length` before it, that moment included, up to it; with a delay, up to so
 * long after it, that moment not included.
 */
export class SlidingWindow implements Window {
  readonly #lengthMicros: number;
  readonly #delayMicros: number;
  readonly #triggers: (row: Row) => boolean;
  readonly #rows: KeptRows;
  /** triggers whose delay has not passed, oldest first */
  #waiting: number[] = [];
  readonly #mostWaiting: number;
  #droppedTriggers = 0;

  constructor(options: {
    readonly lengthMicros: number;
    readonly delayMicros: number;
    readonly triggers: (row: Row) => boolean;
    readonly bounds?: RowBounds;
  }) {
    this.#lengthMicros = options.lengthMicros;
    this.#delayMicros = options.delayMicros;
    this.#triggers = options.triggers;
    const { bounds = rowBounds } = options;
    this.#rows = new KeptRows(bounds);
    this.#mostWaiting = bounds.rows;
  }

  get dropped(): number {
    return this.#rows.dropped + this.#droppedTriggers;
  }

  push(row: Row): readonly Closed[] {
    const closed = this.tick(row.at);
    this.#rows.push(row);
    const isTrigger = this.#triggers(row);
    if (isTrigger && this.#delayMicros > 0) this.#wait(row.at);
    this.#forget(row.at);
    if (!isTrigger || this.#delayMicros > 0) return closed;
    const { at } = row;
    effort.parts(this.#rows.length >> 2);
    return [...closed, { rows: this.#rows.slice(), span: { start: at - this.#lengthMicros, end: at, trigger: at } }];
  }

  /** A trigger that goes has no window. */
  #wait(trigger: number): void {
    if (this.#waiting.push(trigger) <= this.#mostWaiting) return;
    this.#waiting.shift();
    this.#droppedTriggers++;
  }

  tick(now: number): readonly Closed[] {
    if (this.#waiting.length === 0 || now < this.#waiting[0]! + this.#delayMicros) return nothing;
    const closed: Closed[] = [];
    while (this.#waiting.length > 0 && this.#waiting[0]! + this.#delayMicros <= now) {
      const trigger = this.#waiting.shift()!;
      const [start, end] = [trigger - this.#lengthMicros, trigger + this.#delayMicros];
      const rows = this.#rows.slice(this.#rows.countBefore(start), this.#rows.countBefore(end));
      effort.step();
      effort.parts(rows.length >> 2);
      closed.push({ rows, span: { start, end, trigger: end } });
    }
    this.#forget(now);
    return closed;
  }

  /** Rows that no window to come has. */
  #forget(now: number): void {
    const oldest = (this.#waiting[0] ?? now) - this.#lengthMicros;
    if (this.#rows.length > 0 && this.#rows.at(0).at < oldest) this.#rows.forget(this.#rows.countBefore(oldest));
  }

  due(): number | null {
    return this.#waiting.length === 0 ? null : this.#waiting[0]! + this.#delayMicros;
  }

  save(): Saved {
    return [saveRows(this.#rows.slice()), [...this.#waiting]];
  }

  restore(saved: Saved, rowOf: RowOf): void {
    const [rows, waiting] = saved as readonly [Saved, readonly number[]];
    for (const row of rowsOf(rows, rowOf)) this.#rows.push(row);
    this.#waiting = [...waiting];
  }
}
