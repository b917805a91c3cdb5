import type { Row } from "../frame.ts";
import { type Aligned, firstEnd, nextEnd, unitMicros } from "./alignment.ts";
import { type Closed, nothing, type Window } from "./window.ts";

/**
 * Tumbling and hopping windows: one of `length` ends at every multiple of the hop. From the left edge on, up to the right
 * edge, which is not in it. A window without rows closes without a word.
 */
export class TimedWindow implements Window {
  readonly #hop: Aligned;
  readonly #lengthMicros: number;
  /** from the oldest that a window to come may have */
  #rows: Row[] = [];
  /** null before the first row */
  #end: number | null = null;
  /** where the window before ended: compat mode says that a tumbling window began there */
  #before: number | null = null;

  /** @param options.length in the hop's units; the hop itself where windows tumble */
  constructor(options: { readonly hop: Aligned; readonly length: number }) {
    this.#hop = options.hop;
    this.#lengthMicros = options.length * unitMicros[options.hop.unit];
  }

  push(row: Row): readonly Closed[] {
    const closed = this.tick(row.at);
    this.#end ??= firstEnd(row.at, this.#hop);
    this.#rows.push(row);
    return closed;
  }

  tick(now: number): readonly Closed[] {
    if (this.#end === null || now < this.#end) return nothing;
    const closed: Closed[] = [];
    while (this.#end !== null && this.#end <= now) {
      this.#close(this.#end, closed);
      this.#before = this.#end;
      // Where nothing is left the next row says where to go on, however long it takes to come.
      this.#end = this.#rows.length === 0 ? null : nextEnd(this.#end, this.#hop);
    }
    return closed;
  }

  #close(end: number, closed: Closed[]): void {
    const start = this.#startOf(end);
    const rows = this.#rows.filter(({ at }) => at >= start && at < end);
    if (rows.length > 0) closed.push({ rows, span: { start, end, trigger: end } });
    const next = this.#startOf(nextEnd(end, this.#hop));
    this.#rows = this.#rows.filter(({ at }) => at >= next);
  }

  #startOf(end: number): number {
    const { count, unit } = this.#hop;
    const isTumbling = count * unitMicros[unit] === this.#lengthMicros;
    // Days differ in length, and the first window of compat mode may too.
    if (isTumbling && this.#before !== null && nextEnd(this.#before, this.#hop) === end) return this.#before;
    return end - this.#lengthMicros;
  }

  due(): number | null {
    return this.#end;
  }
}
