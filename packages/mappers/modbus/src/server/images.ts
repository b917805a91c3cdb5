import { type Table, tables } from "../pdu.ts";

const pageSize = 256;

interface Page {
  readonly words: Uint16Array;
  /** when each place was last written, microseconds; 0 = never, Infinity = by ourselves, which does not grow old */
  readonly at: Float64Array;
}

/** Where a place lies: the four tables of each unit are apart, as most controllers have them (V1.1b3, 4.4). */
export interface Area {
  readonly unit: number;
  readonly table: Table;
}

/**
 * What lies in the registers and bits of each unit that this end plays. Memory comes in pages, as places are written; a
 * master that writes everywhere reaches the bound and is refused.
 */
export class Images {
  readonly #pages = new Map<number, Page>();
  readonly #mostPages: number;

  constructor(mostPages: number) {
    this.#mostPages = mostPages;
  }

  /**
   * @param into takes `count` words; bits are 0 or 1, what nobody has written is 0
   * @returns when the place written longest ago was written; 0 when one never was
   */
  read({ unit, table }: Area, start: number, into: Uint16Array): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < into.length; i++) {
      const page = this.#pages.get(pageKey(unit, table, start + i));
      const place = (start + i) % pageSize;
      into[i] = page?.words[place] ?? 0;
      oldest = Math.min(oldest, page?.at[place] ?? 0);
    }
    return oldest;
  }

  /** All or nothing. @returns false when there is no memory left for it */
  write({ unit, table }: Area, start: number, written: { words: ArrayLike<number>; at: number }): boolean {
    const { words, at } = written;
    const missing = new Set<number>();
    for (let i = 0; i < words.length; i++) {
      const key = pageKey(unit, table, start + i);
      if (!this.#pages.has(key)) missing.add(key);
    }
    if (this.#pages.size + missing.size > this.#mostPages) return false;
    for (const key of missing) {
      this.#pages.set(key, { words: new Uint16Array(pageSize), at: new Float64Array(pageSize) });
    }
    for (let i = 0; i < words.length; i++) {
      const page = this.#pages.get(pageKey(unit, table, start + i))!;
      page.words[(start + i) % pageSize] = words[i]!;
      page.at[(start + i) % pageSize] = at;
    }
    return true;
  }
}

function pageKey(unit: number, table: Table, place: number): number {
  return (unit * tables.length + tables.indexOf(table)) * 256 + Math.floor(place / pageSize);
}
