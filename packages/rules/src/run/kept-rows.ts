import { limits } from "@penstock/model";
import { isObject, type Value } from "../value/value.ts";
import { effort } from "./effort.ts";
import type { Row } from "./frame.ts";

/** How much a rule may keep in a window or table; beyond, the oldest rows go and are counted. */
export interface RowBounds {
  readonly rows: number;
  /** of all texts and bytes in them together */
  readonly chars: number;
}

export const rowBounds: RowBounds = { rows: limits.windowRows, chars: limits.windowChars };

/** In the place of a row that is gone, so that its values are not kept. */
const gone: Row = { at: 0, source: 0, values: [] };

/**
 * Rows in their order, within a bound. Taking one at the end and letting one go at the front cost the same however many
 * there are.
 */
export class KeptRows {
  readonly #bounds: RowBounds;
  #rows: Row[] = [];
  /** characters of each row, in its place: to count them again costs more than to keep the number */
  #sizes: number[] = [];
  /** place of the oldest; those before it are gone */
  #first = 0;
  #chars = 0;
  /** how many went for the bound */
  dropped = 0;

  constructor(bounds: RowBounds) {
    this.#bounds = bounds;
  }

  get length(): number {
    return this.#rows.length - this.#first;
  }

  /** @param place 0: the oldest; there must be so many */
  at(place: number): Row {
    return this.#rows[this.#first + place]!;
  }

  get last(): Row | undefined {
    return this.length === 0 ? undefined : this.#rows.at(-1);
  }

  push(row: Row): void {
    const size = charsOf(row);
    this.#rows.push(row);
    this.#sizes.push(size);
    this.#chars += size;
    const { rows, chars } = this.#bounds;
    while (this.length > rows || (this.#chars > chars && this.length > 1)) this.dropOldest();
  }

  dropOldest(): void {
    this.dropped++;
    this.forget(1);
  }

  /** The oldest are not needed any more. */
  forget(count: number): void {
    const until = this.#first + count;
    if (until >= this.#rows.length) {
      this.clear();
      return;
    }
    for (let at = this.#first; at < until; at++) {
      this.#chars -= this.#sizes[at]!;
      this.#rows[at] = gone;
    }
    this.#first = until;
    if (until * 2 < this.#rows.length) return;
    this.#rows.splice(0, until);
    this.#sizes.splice(0, until);
    this.#first = 0;
  }

  clear(): void {
    this.#rows = [];
    this.#sizes = [];
    this.#first = 0;
    this.#chars = 0;
  }

  /** @returns how many are before a moment; rows are in the order of their times */
  countBefore(moment: number): number {
    let [low, high] = [this.#first, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#rows[middle]!.at < moment) low = middle + 1;
      else high = middle;
    }
    return low - this.#first;
  }

  /** From one place up to another, which is not in it; to the end where none is given. */
  slice(from = 0, to = this.length): readonly Row[] {
    return this.#rows.slice(this.#first + from, this.#first + to);
  }

  get chars(): number {
    return this.#chars;
  }
}

/** Characters and bytes in the values of a row, those of inner values with them. */
export function charsOf({ values }: Row): number {
  let chars = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (typeof value === "string") chars += value.length;
    else if (typeof value === "object" && value !== null) chars += charsWithin(value);
  }
  return chars;
}

/** An array or struct costs a little for each of its parts, whatever they are. */
export function charsWithin(value: Value): number {
  if (typeof value === "string") return value.length;
  if (value instanceof Uint8Array) return value.length;
  const parts = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : null;
  if (parts === null) return 8;
  if (Array.isArray(value)) effort.parts(parts.length);
  else effort.fields(parts.length);
  let chars = 8;
  for (const part of parts) chars += charsWithin(part as Value);
  return chars;
}
