import type { Saved, Stateful } from "../value/saved.ts";
import type { Row } from "./frame.ts";
import { rowReaderFor, saveRow } from "./saved-rows.ts";

/** A row of one of the sources of a query. */
export interface SourceRow {
  readonly source: number;
  readonly row: Row;
}

export interface WatermarkOptions {
  readonly sources: number;
  /** how late a row may come after a later one, microseconds */
  readonly toleranceMicros: number;
  /** without a row for so long a source does not hold the others up, microseconds; null: it does for ever, as in eKuiper */
  readonly idleAfterMicros: number | null;
  /** rows that wait for others; beyond, the oldest go on at once */
  readonly most: number;
}

/**
 * Puts rows into the order of their own times. A row goes on when no earlier one is expected: when every source that is not
 * idle has told a time beyond it, the tolerance counted. What comes later still is late, and dropped, and counted.
 */
export class Watermark implements Stateful {
  readonly #options: WatermarkOptions;
  /** sorted by time; of equals the first first */
  #waiting: SourceRow[] = [];
  #newest: number[];
  #heardAt: number[];
  #mark = Number.NEGATIVE_INFINITY;
  late = 0;

  constructor(options: WatermarkOptions, now: number) {
    this.#options = options;
    this.#newest = new Array<number>(options.sources).fill(Number.NEGATIVE_INFINITY);
    this.#heardAt = new Array<number>(options.sources).fill(now);
  }

  /** no row before it comes any more; −∞ before the first */
  get mark(): number {
    return this.#mark;
  }

  /** @returns rows that may go on, in order */
  push(one: SourceRow, now: number): readonly SourceRow[] {
    const { source, row } = one;
    this.#heardAt[source] = now;
    this.#newest[source] = Math.max(this.#newest[source]!, row.at);
    if (row.at < this.#mark) {
      this.late++;
      return this.tick(now);
    }
    this.#insert(one);
    return this.tick(now);
  }

  tick(now: number): readonly SourceRow[] {
    const { toleranceMicros, idleAfterMicros, most } = this.#options;
    const isIdle = (source: number) => idleAfterMicros !== null && now - this.#heardAt[source]! >= idleAfterMicros;
    const awaited = this.#newest.filter((_, source) => !isIdle(source));
    // With all of them idle nothing is expected before the newest of all.
    const mark = awaited.length === 0 ? Math.max(...this.#newest) : Math.min(...awaited) - toleranceMicros;
    this.#mark = Math.max(this.#mark, mark);
    const surplus = this.#waiting.length - most;
    if (surplus > 0) this.#mark = Math.max(this.#mark, this.#waiting[surplus - 1]!.row.at);
    return this.#waiting.splice(0, this.#countUntil(this.#mark));
  }

  #insert(one: SourceRow): void {
    const { at } = one.row;
    const last = this.#waiting.at(-1);
    if (last === undefined || last.row.at <= at) this.#waiting.push(one);
    else this.#waiting.splice(this.#countUntil(at), 0, one);
  }

  /** how many rows are not later */
  #countUntil(at: number): number {
    let [low, high] = [0, this.#waiting.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#waiting[middle]!.row.at <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  save(): Saved {
    const waiting = this.#waiting.map(({ source, row }): Saved => [source, saveRow(row)]);
    return [waiting, [...this.#newest], [...this.#heardAt], this.#mark, this.late];
  }

  /** Of the same sources, whose rows have the same values. */
  restore(saved: Saved): void {
    const [waiting, newest, heardAt, mark, late] = saved as unknown as readonly [
      readonly (readonly [number, Saved])[],
      readonly number[],
      readonly number[],
      number,
      number,
    ];
    const rowOf = rowReaderFor([], [])!;
    this.#waiting = waiting.map(([source, row]) => ({ source, row: rowOf(row) }));
    this.#newest = [...newest];
    this.#heardAt = [...heardAt];
    this.#mark = mark;
    this.late = late;
  }

  /** when `tick` may have something to do though nothing comes, in `now`'s time; null: never */
  due(): number | null {
    const { idleAfterMicros } = this.#options;
    if (idleAfterMicros === null || this.#waiting.length === 0) return null;
    return Math.min(...this.#heardAt) + idleAfterMicros;
  }
}
