import type { Saved } from "../value/saved.ts";
import { charsWithin } from "./kept-rows.ts";
import type { LookupRow, Wanted } from "./lookup.ts";

/** Of one lookup table. */
export interface LookupSettings {
  /** answers that are kept; beyond, what was filled first goes first */
  readonly most: number;
  /** how long an answer is true, microseconds; null: until it is filled anew; 0: for those alone that asked */
  readonly keepMicros: number | null;
}

interface Kept {
  readonly rows: readonly LookupRow[];
  readonly filledAt: number;
  readonly chars: number;
}
interface Answers {
  readonly settings: LookupSettings;
  readonly byKey: Map<string, Kept>;
  chars: number;
}

/**
 * Answers of lookup tables that are somewhere else. Time is that of the inputs, so that a replay finds what was found. An
 * empty answer is one too.
 */
export class LookupCache {
  readonly #tables: ReadonlyMap<string, Answers>;
  readonly #charsMost: number;
  #chars = 0;

  /** @param charsMost of all tables together; beyond, the oldest of the one that keeps most goes */
  constructor(tables: ReadonlyMap<string, LookupSettings>, charsMost: number) {
    const begun = [...tables].map(([name, settings]) => [name, { settings, byKey: new Map(), chars: 0 }] as const);
    this.#tables = new Map(begun);
    this.#charsMost = charsMost;
  }

  fill({ table, key }: Pick<Wanted, "table" | "key">, rows: readonly LookupRow[], now: number): void {
    const of = this.#tables.get(table);
    if (of === undefined || of.settings.keepMicros === 0) return;
    this.#remove(of, key);
    this.#forgetOld(of, now);
    if (of.byKey.size >= of.settings.most) this.#removeOldest(of);
    const chars = charsOfAnswer(rows) + key.length;
    of.byKey.set(key, { rows, filledAt: now, chars });
    of.chars += chars;
    this.#chars += chars;
    while (this.#chars > this.#charsMost) this.#removeOldest(this.#largest());
  }

  /** @param at  the moment for which it has to be true; null: it is not known for it */
  find({ table, key }: Pick<Wanted, "table" | "key">, at: number): readonly LookupRow[] | null {
    const of = this.#tables.get(table);
    const kept = of?.byKey.get(key);
    if (of === undefined || kept === undefined) return null;
    return isOld(of, kept, at) ? null : kept.rows;
  }

  /** What was filled first is first. */
  #forgetOld(of: Answers, now: number): void {
    for (const [key, kept] of of.byKey) {
      if (!isOld(of, kept, now)) return;
      this.#remove(of, key);
    }
  }

  #largest(): Answers {
    return [...this.#tables.values()].reduce((a, b) => (b.chars > a.chars ? b : a));
  }

  #removeOldest(of: Answers): void {
    const [oldest] = of.byKey.keys();
    if (oldest !== undefined) this.#remove(of, oldest);
  }

  #remove(of: Answers, key: string): void {
    const kept = of.byKey.get(key);
    if (kept === undefined) return;
    of.byKey.delete(key);
    of.chars -= kept.chars;
    this.#chars -= kept.chars;
  }

  /** @param placeOf  where rows are kept that several may share */
  save(placeOf: (rows: readonly LookupRow[]) => number): Saved {
    return [...this.#tables].map(([table, { byKey }]): Saved => {
      const kept = [...byKey].map(([key, { rows, filledAt }]): Saved => [key, placeOf(rows), filledAt]);
      return [table, kept];
    });
  }

  restore(saved: Saved, rowsAt: (place: number) => readonly LookupRow[]): void {
    for (const [table, kept] of saved as unknown as readonly (readonly [string, readonly [string, number, number][]])[])
      for (const [key, place, filledAt] of kept) this.fill({ table, key }, rowsAt(place), filledAt);
  }
}

function isOld({ settings: { keepMicros } }: Answers, { filledAt }: Kept, at: number): boolean {
  return keepMicros !== null && at - filledAt >= keepMicros;
}

/** Characters and bytes in the rows of an answer. */
export function charsOfAnswer(rows: readonly LookupRow[]): number {
  return rows.reduce((chars, row) => chars + charsWithin(row), 8);
}
