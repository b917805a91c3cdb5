import type { Saved } from "../../value/saved.ts";
import type { Row } from "../frame.ts";
import { type RowOf, rowsOf, saveRows } from "../saved-rows.ts";
import { type Closed, nothing, type Window } from "./window.ts";

/**
 * Rows from the one that begins it to the one that ends it, both in it. With one condition the first row that meets it
 * begins, and each further one gives what was kept so far and begins anew with itself. Each partition by itself.
 */
export class StateWindow implements Window {
  readonly #begins: (row: Row) => boolean;
  readonly #ends: ((row: Row) => boolean) | null;
  readonly #keyOf: (row: Row) => string;
  /** open windows by partition */
  readonly #open = new Map<string, Row[]>();

  constructor(options: {
    readonly begins: (row: Row) => boolean;
    /** null: `begins` is the only condition */
    readonly ends: ((row: Row) => boolean) | null;
    readonly keyOf: (row: Row) => string;
  }) {
    this.#begins = options.begins;
    this.#ends = options.ends;
    this.#keyOf = options.keyOf;
  }

  push(row: Row): readonly Closed[] {
    const key = this.#keyOf(row);
    const rows = this.#open.get(key);
    if (this.#ends === null) return this.#single(key, rows, row);
    if (rows === undefined && !this.#begins(row)) return nothing;
    const all = rows ?? [];
    if (rows === undefined) this.#open.set(key, all);
    all.push(row);
    if (!this.#ends(row)) return nothing;
    this.#open.delete(key);
    return [closing(all, row)];
  }

  #single(key: string, rows: Row[] | undefined, row: Row): readonly Closed[] {
    const isMatch = this.#begins(row);
    if (rows === undefined) {
      if (isMatch) this.#open.set(key, [row]);
      return nothing;
    }
    if (!isMatch) {
      rows.push(row);
      return nothing;
    }
    this.#open.set(key, [row]);
    return [closing(rows, row)];
  }

  tick(): readonly Closed[] {
    return nothing;
  }

  due(): null {
    return null;
  }

  save(): Saved {
    return [...this.#open].map(([key, rows]): Saved => [key, saveRows(rows)]);
  }

  restore(saved: Saved, rowOf: RowOf): void {
    for (const [key, rows] of saved as unknown as readonly [string, Saved][]) this.#open.set(key, rowsOf(rows, rowOf));
  }
}

function closing(rows: readonly Row[], by: Row): Closed {
  return { rows, span: { start: rows[0]!.at, end: by.at, trigger: by.at } };
}
