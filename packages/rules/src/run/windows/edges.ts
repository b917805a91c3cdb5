import type { Saved, Stateful } from "../../value/saved.ts";
import type { WindowSpan } from "../frame.ts";
import { type Aligned, firstEnd, nextEnd, unitMicros } from "./alignment.ts";

/** Where windows of one length end, one after the other, and where each begins. */
export class Edges implements Stateful {
  readonly #hop: Aligned;
  readonly #lengthMicros: number;
  readonly #isTumbling: boolean;
  /** of the window that is open; null before the first row, and while nothing is kept */
  end: number | null = null;
  /** where the window before ended, which is where a tumbling one begins */
  #before: number | null = null;

  /** @param options.length in the hop's units; the hop itself where windows tumble */
  constructor({ hop, length }: { readonly hop: Aligned; readonly length: number }) {
    this.#hop = hop;
    this.#lengthMicros = length * unitMicros[hop.unit];
    this.#isTumbling = length === hop.count;
  }

  /** A row at this moment is in the open window, or in one that is opened for it. */
  open(at: number): void {
    if (this.end !== null) return;
    // In strict mode every end is a multiple of the length; in compat mode the first says where the others are.
    const isFirst = this.#before === null || this.#hop.mode === "strict";
    let end = isFirst ? firstEnd(at, this.#hop) : this.#skipTo(at, this.#before!);
    while (end <= at) end = nextEnd(end, this.#hop);
    this.end = end;
  }

  /** An end before `at`, whole windows after one that is known. */
  #skipTo(at: number, end: number): number {
    const { unit, count } = this.#hop;
    const length = count * unitMicros[unit];
    // Days are not all as long as others; there are few of them.
    return unit === "dd" ? end : end + Math.floor((at - end) / length) * length;
  }

  get span(): WindowSpan {
    const end = this.end!;
    return { start: this.#startOf(end, this.#before), end, trigger: end };
  }

  /** the earliest moment that the next window has */
  get nextStart(): number {
    return this.#startOf(nextEnd(this.end!, this.#hop), this.end);
  }

  /** @param isEmpty nothing is kept: the next row says where to go on, however long it takes to come */
  advance({ isEmpty }: { readonly isEmpty: boolean }): void {
    this.#before = this.end;
    this.end = isEmpty ? null : nextEnd(this.end!, this.#hop);
  }

  save(): Saved {
    return [this.end, this.#before];
  }

  restore(saved: Saved): void {
    [this.end, this.#before] = saved as [number | null, number | null];
  }

  /** Days differ in length, so a tumbling window begins where the one before ended. */
  #startOf(end: number, before: number | null): number {
    if (this.#isTumbling && before !== null && nextEnd(before, this.#hop) === end) return before;
    return end - this.#lengthMicros;
  }
}
