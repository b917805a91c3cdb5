import type { Saved } from "../../value/saved.ts";
import type { Row } from "../frame.ts";
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
  #rows: Row[] = [];
  /** triggers whose delay has not passed, oldest first */
  #waiting: number[] = [];

  constructor(options: {
    readonly lengthMicros: number;
    readonly delayMicros: number;
    readonly triggers: (row: Row) => boolean;
  }) {
    this.#lengthMicros = options.lengthMicros;
    this.#delayMicros = options.delayMicros;
    this.#triggers = options.triggers;
  }

  push(row: Row): readonly Closed[] {
    const closed = this.tick(row.at);
    this.#rows.push(row);
    const isTrigger = this.#triggers(row);
    if (isTrigger && this.#delayMicros > 0) this.#waiting.push(row.at);
    this.#forget(row.at);
    if (!isTrigger || this.#delayMicros > 0) return closed;
    const { at } = row;
    return [...closed, { rows: [...this.#rows], span: { start: at - this.#lengthMicros, end: at, trigger: at } }];
  }

  tick(now: number): readonly Closed[] {
    if (this.#waiting.length === 0 || now < this.#waiting[0]! + this.#delayMicros) return nothing;
    const closed: Closed[] = [];
    while (this.#waiting.length > 0 && this.#waiting[0]! + this.#delayMicros <= now) {
      const trigger = this.#waiting.shift()!;
      const [start, end] = [trigger - this.#lengthMicros, trigger + this.#delayMicros];
      const rows = this.#rows.filter(({ at }) => at >= start && at < end);
      closed.push({ rows, span: { start, end, trigger: end } });
    }
    this.#forget(now);
    return closed;
  }

  /** Rows that no window to come has. */
  #forget(now: number): void {
    const oldest = (this.#waiting[0] ?? now) - this.#lengthMicros;
    const kept = this.#rows.findIndex(({ at }) => at >= oldest);
    if (kept > 0) this.#rows.splice(0, kept);
    else if (kept < 0) this.#rows = [];
  }

  due(): number | null {
    return this.#waiting.length === 0 ? null : this.#waiting[0]! + this.#delayMicros;
  }

  save(): Saved {
    return [saveRows(this.#rows), [...this.#waiting]];
  }

  restore(saved: Saved, rowOf: RowOf): void {
    const [rows, waiting] = saved as readonly [Saved, readonly number[]];
    this.#rows = rowsOf(rows, rowOf);
    this.#waiting = [...waiting];
  }
}
