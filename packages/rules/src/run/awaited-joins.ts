import { limits } from "@penstock/model";
import type { Plan } from "../plan/plan-query.ts";
import { RowError } from "../value/row-error.ts";
import type { Saved } from "../value/saved.ts";
import type { Row, WindowSpan } from "./frame.ts";
import type { Joins } from "./joins.ts";
import { charsOf } from "./kept-rows.ts";
import { type Answer, type Find, type Found, type LookupRow, NotKnownYet, type Wanted } from "./lookup.ts";
import { charsOfAnswer, LookupCache, type LookupSettings } from "./lookup-cache.ts";
import { type RowOf, rowsOf, saveRow, saveRows } from "./saved-rows.ts";
import type { Closed } from "./windows/window.ts";

/** How much may wait for answers; beyond, the oldest goes and is counted. */
export interface WaitingBounds {
  /** of all that waits together: rows alone, and those of windows */
  readonly rows: number;
  /** of all texts and bytes in them and in their answers */
  readonly chars: number;
  /** that one window may ask */
  readonly questions: number;
}
export const waitingBounds: WaitingBounds = {
  rows: limits.lookupWaitingRows,
  chars: limits.lookupChars,
  questions: limits.lookupWaitingRows,
};

/** A row, or a window that has closed, which is joined when all its answers are there; or a row of a table in between. */
type Waiting = Joining | { readonly t: "table"; readonly row: Row };
interface Joining {
  readonly t: "join";
  readonly closed: Closed;
  /** when it closed */
  readonly now: number;
  /** what was true for it: neither time nor other rows take that away */
  readonly answers: Map<string, Found>;
  /** questions that it waits for, as far as they are known: what one answer has may be what the next is asked by */
  missing: number;
  /** it waits no more */
  isGone: boolean;
}

export interface AwaitedJoinsOptions {
  readonly plan: Plan;
  readonly joins: Joins;
  readonly bounds?: WaitingBounds;
  /** takes joined rows */
  give(rows: readonly Row[], span: WindowSpan, now: number): void;
  /** takes RowErrors; throws everything else again */
  failed(error: unknown): void;
}

/**
 * Joins with lookup tables that are somewhere else. Windows open and close at their times whatever is awaited; what has closed
 * waits here, in its order, until it can be joined. Questions of all that waits are asked at once.
 *
 * Answers are inputs like rows, so that the same inputs give the same, and a replay asks nobody.
 */
export class AwaitedJoins {
  readonly #options: AwaitedJoinsOptions;
  readonly #bounds: WaitingBounds;
  readonly #cache: LookupCache;
  readonly #queue: Waiting[] = [];
  readonly #wanted = new Map<string, { readonly wanted: Wanted; readonly by: Joining[] }>();
  #fresh: Wanted[] = [];
  #rows = 0;
  #chars = 0;
  /** answers that something waits with, and how many do */
  readonly #held = new Map<Found, number>();
  /** rows that went since too much waited */
  dropped = 0;

  constructor(options: AwaitedJoinsOptions) {
    this.#options = options;
    this.#bounds = options.bounds ?? waitingBounds;
    const tables = options.plan.joins.flatMap(({ table }): [string, LookupSettings][] =>
      table?.t === "asked" && table.schema.table?.t === "lookup" ? [[table.schema.name, table.schema.table]] : [],
    );
    this.#cache = new LookupCache(new Map(tables), limits.lookupChars);
  }

  /** Something is to be joined, after all that waits. */
  join(closed: Closed, now: number): void {
    const one: Joining = { t: "join", closed, now, answers: new Map(), missing: 0, isGone: false };
    let waits = false;
    try {
      if (this.#queue.length > 0) this.#lookAhead(one);
      waits = this.#queue.length > 0 || !this.#finish(one);
    } finally {
      if (waits) this.#push(one);
      else this.#letGo(one);
    }
  }

  /** A row of a table that the rule keeps: what closed before it is joined without it. */
  tableRow(row: Row): void {
    if (this.#queue.length === 0) this.#options.joins.takes(row);
    else this.#push({ t: "table", row });
  }

  /** What nobody asks is kept for those who may. */
  answer(answers: readonly Answer[], now: number): void {
    const complete: Joining[] = [];
    for (const answer of answers) {
      const found = "failure" in answer ? this.#ofFailure(answer) : answer.rows;
      if (!("failure" in answer)) this.#cache.fill(answer, answer.rows, now);
      const key = wantedKey(answer);
      const asked = this.#wanted.get(key);
      this.#wanted.delete(key);
      for (const one of asked?.by ?? []) {
        if (one.isGone) continue;
        if (!one.answers.has(key)) this.#hold(one, key, found);
        if (--one.missing === 0) complete.push(one);
      }
    }
    // What one answer has may be what the next table is asked by; the first finds out as it is joined.
    for (const one of complete) if (one !== this.#queue[0]) this.#lookAhead(one);
    this.#bound();
    this.settle();
  }

  /** Joins what has its answers, in order. */
  settle(): void {
    for (let first = this.#queue[0]; first !== undefined && !isAwaiting(first); first = this.#queue[0]) {
      this.#queue.shift();
      if (first.t === "table") {
        this.#rows--;
        this.#chars -= charsOf(first.row);
        this.#options.joins.takes(first.row);
      } else this.#finishFirst(first);
    }
  }

  /** Whatever comes of it, it is not tried a second time. */
  #finishFirst(one: Joining): void {
    let isOver = true;
    try {
      isOver = this.#finish(one);
    } finally {
      if (isOver) this.#left(one);
      else this.#queue.unshift(one);
    }
  }

  /** since when something could be joined that has not been: it took too long with what was before it; null: nothing */
  get readySince(): number | null {
    const [first] = this.#queue;
    return first?.t === "join" && first.missing === 0 ? first.now : null;
  }

  /** questions without an answer, each once */
  get wanted(): readonly Wanted[] {
    return [...this.#wanted.values()].map(({ wanted }) => wanted);
  }

  /** those of them that came since this was called last */
  newlyWanted(): readonly Wanted[] {
    if (this.#fresh.length === 0) return none;
    const fresh = this.#fresh.filter((one) => this.#wanted.get(wantedKey(one))?.wanted === one);
    this.#fresh = [];
    return fresh;
  }

  /** In compat mode a row without an answer is an error and gives nothing, as in eKuiper; else it has no partner there. */
  #ofFailure({ table, failure }: Answer & { readonly failure: string }): Found {
    if (this.#options.plan.mode === "compat") return { failure };
    this.#options.failed(new RowError(`Cannot look up in "${table}": ${failure}`));
    return [];
  }

  /** @returns whether it was joined, or never will be */
  #finish(one: Joining): boolean {
    let rows: readonly Row[] | null;
    try {
      rows = this.#joined(one);
    } catch (error) {
      this.#options.failed(error);
      return true;
    }
    if (rows === null) return false;
    this.#options.give(rows, one.closed.span, one.now);
    return true;
  }

  /** Asks what it will want: what else comes of it is seen when its turn comes. */
  #lookAhead(one: Joining): void {
    try {
      this.#joined(one);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
    }
  }

  /** @returns null where answers are missing, which are asked for then @throws RowError */
  #joined(one: Joining): readonly Row[] | null {
    const missing = new Map<string, Wanted>();
    const find: Find = (wanted) => {
      const key = wantedKey(wanted);
      const known = one.answers.get(key) ?? null;
      if (known !== null) return known;
      const kept = this.#cache.find(wanted, one.now);
      if (kept === null) missing.set(key, wanted);
      else this.#hold(one, key, kept);
      return kept;
    };
    const mustKnow = () => {
      for (const wanted of missing.values()) throw new NotKnownYet(wanted);
    };
    try {
      const rows = this.#options.joins.of(one.closed.rows, find, mustKnow);
      if (missing.size === 0) return rows;
    } catch (error) {
      // Whatever is wrong with a row, without its answers nobody can tell.
      if (missing.size === 0 || !(error instanceof RowError)) throw error;
    }
    const { questions } = this.#bounds;
    if (one.answers.size + missing.size > questions)
      throw new RowError(`Cannot join: a window asks for more than ${questions} answers`);
    one.missing = missing.size;
    for (const [key, wanted] of missing) {
      const asked = this.#wanted.get(key);
      if (asked !== undefined) asked.by.push(one);
      else {
        this.#wanted.set(key, { wanted, by: [one] });
        this.#fresh.push(wanted);
      }
    }
    return null;
  }

  #hold(one: Joining, key: string, found: Found): void {
    one.answers.set(key, found);
    const holders = this.#held.get(found) ?? 0;
    this.#held.set(found, holders + 1);
    if (holders === 0) this.#chars += charsOfFound(found);
  }

  #push(one: Waiting): void {
    this.#queue.push(one);
    for (const row of rowsOfWaiting(one)) {
      this.#rows++;
      this.#chars += charsOf(row);
    }
    this.#bound();
  }

  /** One alone may be as large as a window. */
  #bound(): void {
    const { rows, chars } = this.#bounds;
    while (this.#queue.length > 1 && (this.#rows > rows || this.#chars > chars)) {
      const oldest = this.#queue.shift()!;
      if (oldest.t === "join") {
        this.dropped += oldest.closed.rows.length;
        this.#left(oldest);
        continue;
      }
      // A table is what its rows make it, whoever is joined with it.
      this.#rows--;
      this.#chars -= charsOf(oldest.row);
      this.#options.joins.takes(oldest.row);
    }
  }

  #left(one: Joining): void {
    for (const row of one.closed.rows) {
      this.#rows--;
      this.#chars -= charsOf(row);
    }
    this.#letGo(one);
  }

  #letGo(one: Joining): void {
    one.isGone = true;
    for (const found of one.answers.values()) {
      const holders = this.#held.get(found)! - 1;
      if (holders > 0) this.#held.set(found, holders);
      else {
        this.#held.delete(found);
        this.#chars -= charsOfFound(found);
      }
    }
  }

  /** Answers that several have are saved once. */
  save(): Saved {
    const pool: Saved[] = [];
    const places = new Map<Found, number>();
    const placeOf = (found: Found): number => {
      const known = places.get(found);
      if (known !== undefined) return known;
      places.set(found, pool.length);
      return pool.push(found as Saved) - 1;
    };
    const queue = this.#queue.map((one): Saved => {
      if (one.t === "table") return ["table", saveRow(one.row)];
      const { rows, span } = one.closed;
      const answers = [...one.answers].map(([key, found]): Saved => [key, placeOf(found)]);
      return ["join", saveRows(rows), [span.start, span.end, span.trigger], one.now, answers];
    });
    return [this.#cache.save(placeOf), queue, pool];
  }

  /** Before the first row. What waits is what it was; what it asks for is asked again. */
  restore(saved: Saved, rowOf: RowOf | null): void {
    const [cache, queue, pool] = saved as unknown as readonly [Saved, readonly SavedWaiting[], readonly Found[]];
    this.#cache.restore(cache, (place) => pool[place] as readonly LookupRow[]);
    if (rowOf === null) return;
    for (const [t, rows, span, now, answers] of queue) {
      if (t === "table") {
        this.#push({ t, row: rowOf(rows) });
        continue;
      }
      const [start, end, trigger] = span!;
      const closed = { rows: rowsOf(rows, rowOf), span: { start, end, trigger } };
      const one: Joining = { t, closed, now: now!, answers: new Map(), missing: 0, isGone: false };
      for (const [key, place] of answers!) this.#hold(one, key, pool[place]!);
      this.#lookAhead(one);
      this.#push(one);
    }
  }
}

type SavedWaiting = readonly [
  t: "join" | "table",
  rows: Saved,
  span?: readonly [number, number, number],
  now?: number,
  answers?: readonly (readonly [string, number])[],
];

const none: readonly Wanted[] = [];

function isAwaiting(one: Waiting): boolean {
  return one.t === "join" && one.missing > 0;
}

function rowsOfWaiting(one: Waiting): readonly Row[] {
  return one.t === "table" ? [one.row] : one.closed.rows;
}

function charsOfFound(found: Found): number {
  return "failure" in found ? found.failure.length : charsOfAnswer(found);
}

function wantedKey({ table, key }: Pick<Wanted, "table" | "key">): string {
  return `${table.length}:${table}${key}`;
}
