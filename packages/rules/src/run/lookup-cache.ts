import type { ObjectValue, Value } from "../value/value.ts";
import { keyText } from "./join-key.ts";
import type { Lookup, LookupRow, Wanted } from "./lookup.ts";

export interface LookupCacheOptions {
  /** answers that are kept; beyond, what was filled first goes first */
  readonly most: number;
  /** how long an answer is true, microseconds; null: until it is filled anew */
  readonly keepMicros: number | null;
  /** the clock, microseconds */
  now(): number;
}

/** Answers of lookup tables that are somewhere else, filled by whoever asks there. An empty answer is one too. */
export class LookupCache implements Lookup {
  readonly #options: LookupCacheOptions;
  readonly #answers = new Map<string, { readonly rows: readonly LookupRow[]; readonly filledAt: number }>();

  constructor(options: LookupCacheOptions) {
    this.#options = options;
  }

  fill(wanted: Wanted, rows: readonly LookupRow[]): void {
    const text = textOf(wanted);
    this.#answers.delete(text);
    if (this.#answers.size >= this.#options.most) this.#answers.delete(this.#answers.keys().next().value!);
    this.#answers.set(text, { rows, filledAt: this.#options.now() });
  }

  find(wanted: Wanted): readonly LookupRow[] | null {
    const { keepMicros, now } = this.#options;
    const text = textOf(wanted);
    const answer = this.#answers.get(text);
    if (answer === undefined) return null;
    if (keepMicros === null || now() - answer.filledAt < keepMicros) return answer.rows;
    this.#answers.delete(text);
    return null;
  }
}

function textOf({ table, keys }: Wanted): string {
  const names = Object.keys(keys).sort();
  return `${table.length}:${table}${keyText(names.flatMap((name): Value[] => [name, (keys as ObjectValue)[name]!]))}`;
}
