import { MemoryUnit, type ModbusUnit, SparseUnit, withHoles } from "@penstock/testkit";

export const mapKinds = ["dense", "sparse"] as const;
export type MapKind = (typeof mapKinds)[number];

export interface RegisterMap {
  readonly ranges: readonly { readonly start: number; readonly length: number }[];
  readonly unit: ModbusUnit;
  /** ascending places that no request may read across */
  readonly cuts: readonly number[];
}

const size = 4000;
const everyThird = 3;
const lengths = [1, 4, 20, 60];

/**
 * A map of twelve ranges, the same for the same number. Dense: of 1 to 60 registers, side by side or a few registers
 * apart. Sparse: at every third register or far from it, and 5 % of all addresses do not exist.
 */
export function registerMap(kind: MapKind, number: number): RegisterMap {
  const dice = diceOf(number * 2 + (kind === "dense" ? 0 : 1));
  const exists = withHoles(kind === "dense" ? 0 : 5, number);
  const isThere = (start: number, length: number) =>
    Array.from({ length }, (_, i) => exists("holding", start + i)).every(Boolean);
  const ranges: { start: number; length: number }[] = [];
  for (let at = 0; ranges.length < 12; ) {
    const length = kind === "dense" ? lengths[dice(lengths.length)]! : 1;
    // Every reachable point exists: what a device refuses by itself is no part of the least that must be asked.
    if (isThere(at, length)) ranges.push({ start: at, length });
    at += kind === "dense" ? length + dice(4) : everyThird * (1 + dice(12));
  }
  const holes = Array.from({ length: size }, (_, at) => at).filter((at) => !exists("holding", at));
  const cuts = [...new Set(holes.flatMap((at) => [at, at + 1]))];
  const unit = kind === "dense" ? new MemoryUnit({ holding: size }) : new SparseUnit({ holding: size }, exists);
  return { ranges, unit, cuts };
}

/** @returns a die: 0 to n − 1, the same sequence for the same seed */
function diceOf(seed: number): (sides: number) => number {
  let state = (seed + 1) * 2_654_435_761;
  return (sides) => {
    // Numerical Recipes, 3rd edition, 7.1: a linear congruential generator, of which the high bits are used
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}
