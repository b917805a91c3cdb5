import type { Accumulator } from "../functions/define-aggregate.ts";
import type { PlannedAggregate } from "../plan/compile-aggregate.ts";
import { RowError } from "../value/row-error.ts";
import type { Saved } from "../value/saved.ts";
import type { Value } from "../value/value.ts";
import { effort } from "./effort.ts";
import { type Evaluate, type Frame, newFrame, type Row } from "./frame.ts";
import { charsOf, type RowBounds, rowBounds } from "./kept-rows.ts";
import { type RowOf, saveRow } from "./saved-rows.ts";

export interface Grouping {
  readonly keys: readonly Evaluate[];
  readonly aggregates: readonly PlannedAggregate[];
}

interface Group {
  readonly first: Row;
  readonly accumulators: readonly Accumulator[];
  /** a row could not be added: the group has no result */
  error: RowError | null;
}

/** Rows by their keys, added up as they come; the groups stay in the order of their first rows. */
export class Groups {
  readonly #grouping: Grouping;
  readonly #frame = newFrame();
  readonly #bounds: RowBounds;
  readonly #groups = new Map<unknown, Group>();
  /** in the first rows of all groups */
  #chars = 0;
  /** groups that went for the bound */
  dropped = 0;

  constructor(grouping: Grouping, bounds = rowBounds) {
    this.#grouping = grouping;
    this.#bounds = bounds;
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  add(row: Row, now: number): void {
    const frame = this.#frame;
    frame.row = row;
    frame.now = now;
    const { keys, aggregates } = this.#grouping;
    effort.parts(keys.length + aggregates.length);
    const key = keyOf(keys, frame);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { first: row, accumulators: aggregates.map((one) => one.start()), error: null };
      this.#open(key, group);
    }
    try {
      for (let at = 0; at < aggregates.length; at++) aggregates[at]!.add(group.accumulators[at]!, frame);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      group.error ??= error;
    }
  }

  /** A group keeps its first row; beyond the bound the group that began first goes. */
  #open(key: unknown, group: Group): void {
    this.#groups.set(key, group);
    this.#chars += charsOf(group.first);
    const { rows, chars } = this.#bounds;
    while (this.#groups.size > rows || (this.#chars > chars && this.#groups.size > 1)) {
      const [oldest] = this.#groups;
      this.#groups.delete(oldest![0]);
      this.#chars -= charsOf(oldest![1].first);
      this.dropped++;
    }
  }

  save(): Saved {
    return [
      this.#grouping.aggregates.map(({ fingerprint }) => fingerprint),
      [...this.#groups].map(([key, { first, accumulators, error }]): Saved => {
        const sums = accumulators.map((one) => one.save());
        // What keyOf gives is a value.
        return [key as Value, saveRow(first), sums, error?.message ?? null];
      }),
    ];
  }

  /** @returns false, and nothing is there, where an aggregate is wanted that was not kept */
  restore(saved: Saved, rowOf: RowOf): boolean {
    const [kept, groups] = saved as unknown as readonly [
      readonly string[],
      readonly (readonly [Value, Saved, readonly Saved[], string | null])[],
    ];
    const { aggregates } = this.#grouping;
    const places = aggregates.map(({ fingerprint }) => kept.indexOf(fingerprint));
    if (places.includes(-1)) return false;
    for (const [key, first, sums, error] of groups) {
      const accumulators = aggregates.map((one) => one.start());
      for (const [at, one] of accumulators.entries()) one.restore(sums[places[at]!]!);
      this.#open(key, { first: rowOf(first), accumulators, error: error === null ? null : new RowError(error) });
    }
    return true;
  }

  /** Each group in a frame of its own, with its results, or why it has none. */
  *results(frame: Frame): Generator<RowError | null> {
    for (const { first, accumulators, error } of this.#groups.values()) {
      effort.step();
      frame.row = first;
      frame.aggregates = accumulators.map((one) => one.result());
      yield error;
    }
  }
}

/** Keys that differ in kind differ: 1 and '1' are two groups. One key is its own, several are joined with their lengths. */
export function keyOf(keys: readonly Evaluate[], frame: Frame): unknown {
  if (keys.length === 0) return null;
  if (keys.length === 1) {
    const value = keys[0]!(frame);
    return typeof value === "object" && value !== null ? tagged(value) : value;
  }
  let joined = "";
  for (const key of keys) {
    const text = tagged(key(frame));
    effort.chars(text.length);
    joined += `${text.length}:${text}`;
  }
  return joined;
}

function tagged(value: Value): string {
  if (typeof value === "string") return `s${value}`;
  if (typeof value !== "object" || value === null) return `${typeof value === "bigint" ? "i" : "v"}${String(value)}`;
  const text = JSON.stringify(value, (_key, one: unknown) => (typeof one === "bigint" ? `${one}n` : one));
  effort.eachChar(text.length);
  return `o${text}`;
}
