import type { Saved } from "../../value/saved.ts";
import type { Row } from "../frame.ts";
import { KeptRows, type RowBounds, rowBounds } from "../kept-rows.ts";
import { type RowOf, rowsOf, saveRows } from "../saved-rows.ts";
import { type Closed, nothing, type Window } from "./window.ts";

/** A partition's window: its rows, and when it began, also when that row is gone. */
interface Open {
  readonly began: number;
  readonly rows: KeptRows;
}

/**
 * Rows from the one that begins it to the one that ends it, both in it. With one condition the first row that meets it
 * begins, and each further one gives what was kept so far and begins anew with itself. Each partition by itself; the bound
 * is one for all, and the window that began first gives way.
 */
export class StateWindow implements Window {
  readonly #begins: (row: Row) => boolean;
  readonly #ends: ((row: Row) => boolean) | null;
  readonly #keyOf: (row: Row) => string;
  readonly #bounds: RowBounds;
  /** open windows by partition, in the order in which they began */
  readonly #open = new Map<string, Open>();
  #count = 0;
  #chars = 0;
  dropped = 0;

  constructor(options: {
    readonly begins: (row: Row) => boolean;
    /** null: `begins` is the only condition */
    readonly ends: ((row: Row) => boolean) | null;
    readonly keyOf: (row: Row) => string;
    readonly bounds?: RowBounds;
  }) {
    this.#begins = options.begins;
    this.#ends = options.ends;
    this.#keyOf = options.keyOf;
    this.#bounds = options.bounds ?? rowBounds;
  }

  push(row: Row): readonly Closed[] {
    const key = this.#keyOf(row);
    const open = this.#open.get(key);
    if (this.#ends === null) return this.#single(key, open, row);
    if (open === undefined && !this.#begins(row)) return nothing;
    const one = open ?? this.#begin(key, row.at);
    this.#add(one, row);
    if (!this.#ends(row)) return nothing;
    return [this.#close(key, one, row)];
  }

  #single(key: string, open: Open | undefined, row: Row): readonly Closed[] {
    const isMatch = this.#begins(row);
    if (open !== undefined && !isMatch) this.#add(open, row);
    if (!isMatch) return nothing;
    const closed = open === undefined ? nothing : [this.#close(key, open, row)];
    this.#add(this.#begin(key, row.at), row);
    return closed;
  }

  #begin(key: string, began: number): Open {
    const open: Open = { began, rows: new KeptRows(unbounded) };
    this.#open.set(key, open);
    return open;
  }

  #add({ rows }: Open, row: Row): void {
    const before = rows.chars;
    rows.push(row);
    this.#count++;
    this.#chars += rows.chars - before;
    while (this.#count > this.#bounds.rows || (this.#chars > this.#bounds.chars && this.#count > 1)) this.#dropOldest();
  }

  #dropOldest(): void {
    const [first] = this.#open;
    const [key, { rows }] = first!;
    const before = rows.chars;
    rows.forget(1);
    this.#count--;
    this.#chars -= before - rows.chars;
    this.dropped++;
    if (rows.length === 0) this.#open.delete(key);
  }

  #close(key: string, { began, rows }: Open, by: Row): Closed {
    this.#open.delete(key);
    this.#count -= rows.length;
    this.#chars -= rows.chars;
    return { rows: rows.slice(), span: { start: began, end: by.at, trigger: by.at } };
  }

  tick(): readonly Closed[] {
    return nothing;
  }

  due(): null {
    return null;
  }

  save(): Saved {
    return [...this.#open].map(([key, { began, rows }]): Saved => [key, saveRows(rows.slice()), began]);
  }

  restore(saved: Saved, rowOf: RowOf): void {
    for (const [key, rows, began] of saved as unknown as readonly [string, Saved, number][]) {
      const open = this.#begin(key, began);
      for (const row of rowsOf(rows, rowOf)) this.#add(open, row);
    }
  }
}

/** what a partition keeps is bounded with that of the others */
const unbounded: RowBounds = { rows: Number.POSITIVE_INFINITY, chars: Number.POSITIVE_INFINITY };
