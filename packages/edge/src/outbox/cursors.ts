import { addRange, contiguousTo, type Epoch, holds, missingFrom, type Ranges } from "@penstock/model";

/** What the outbox must remember besides its entries. Kept in a journal. */
export interface OutboxState {
  readonly epoch: Epoch | null;
  /** by cursor name: what it has passed; normally one range from 1, and one more while live runs ahead of backlog */
  readonly passed: Passed;
  /** settled before the epoch began; null when that was not written down, undefined in journals from before it was */
  readonly settled?: Ranges | null;
  /** what the outbox held when it began to give numbers that the cloud has not agreed to; null or undefined: it has */
  readonly unsureAbove?: number | null;
  /** readings removed by the full policy or by age */
  readonly dropped: number;
}
export type Passed = Readonly<Record<string, Ranges>>;
export type StateEntry =
  | { readonly t: "passed"; readonly passed: Passed }
  | { readonly t: "epoch"; readonly epoch: Epoch; readonly passed: Passed; readonly settled?: Ranges | null }
  | { readonly t: "unsure"; readonly above: number }
  | { readonly t: "agreed" }
  | { readonly t: "dropped"; readonly from: number; readonly to: number; readonly readings: number };

export const emptyState: OutboxState = { epoch: null, passed: {}, dropped: 0 };

export function applyState(state: OutboxState, entry: StateEntry): OutboxState {
  switch (entry.t) {
    case "passed":
      return { ...state, passed: entry.passed };
    case "unsure":
      return { ...state, unsureAbove: entry.above };
    case "agreed":
      return { ...state, unsureAbove: null };
    case "epoch":
      return { ...state, epoch: entry.epoch, passed: entry.passed, settled: entry.settled ?? null };
    case "dropped":
      // One entry for count and place, so that no crash can count a reading as dropped and still offer it.
      return { ...state, dropped: state.dropped + entry.readings, passed: passAll(state.passed, entry.from, entry.to) };
  }
}

export function passAll(passed: Passed, from: number, to: number): Passed {
  return Object.fromEntries(Object.entries(passed).map(([name, ranges]) => [name, addRange(ranges, from, to)]));
}

export function passedByAll(passed: Passed, from: number, to: number): boolean {
  return Object.values(passed).every((ranges) => holds(ranges, from, to));
}

/** The first seq ≥ `from` that the ranges do not hold. */
export function firstMissing(ranges: Ranges, from: number): number {
  return contiguousTo(ranges, from) + 1;
}

export function countMissing(ranges: Ranges, from: number, to: number): number {
  return missingFrom(ranges, from, to).reduce((sum, [low, high]) => sum + high - low + 1, 0);
}
