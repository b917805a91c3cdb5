import type { RegisterMap } from "./maps.ts";
import { registersEachRequest } from "./register-table.ts";

/**
 * What reading a map costs at least: tries every cutting of the ranges into runs, 2^11 of them for twelve.
 *
 * @param costOf what one request for so many registers costs
 */
export function leastCost({ ranges, cuts }: RegisterMap, costOf: (registers: number) => number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let ends = 0; ends < 2 ** (ranges.length - 1); ends++) {
    let cost = 0;
    let isAllowed = true;
    let { start } = ranges[0]!;
    ranges.forEach((range, i) => {
      const next = ranges[i + 1];
      const isEnd = next === undefined || (ends >> i) % 2 === 1;
      if (!isEnd) return;
      const end = range.start + range.length;
      if (end - start > registersEachRequest || cuts.some((cut) => start < cut && cut < end)) isAllowed = false;
      cost += costOf(end - start);
      start = next?.start ?? 0;
    });
    if (isAllowed) least = Math.min(least, cost);
  }
  return least;
}
