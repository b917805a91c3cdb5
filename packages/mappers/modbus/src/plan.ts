/** Consecutive bits or registers of one unit and table. */
export interface Range {
  readonly start: number;
  readonly length: number;
}

export interface PlanOptions {
  /** most that one request may ask for */
  readonly maxLength: number;
  /** most that a request may read without having been asked for, between two ranges */
  readonly maxGap: number;
  /** ascending places that no request reads across, learned from refusals; a range that lies across one stands alone */
  readonly cuts: readonly number[];
}

export interface PlannedRead<R extends Range> extends Range {
  /** what it reads, by start */
  readonly ranges: readonly R[];
}

/**
 * Joins ranges into requests: as few as the limits allow, and of those plans one that reads the fewest registers.
 *
 * A request is a run of ranges in order of start; the best cutting into runs is found exactly, from the left
 * (`best[i]`: cheapest plan of the first i ranges). No range is longer than `maxLength`.
 */
export function planReads<R extends Range>(ranges: readonly R[], options: PlanOptions): PlannedRead<R>[] {
  const sorted = ranges.toSorted((a, b) => a.start - b.start || a.length - b.length);
  const best: { requests: number; registers: number; from: number; end: number }[] = [
    { requests: 0, registers: 0, from: 0, end: 0 },
  ];
  sorted.forEach((first, from) => {
    const before = best[from]!;
    const barrier = firstCutAfter(options.cuts, first.start);
    let end = 0;
    for (let to = from; to < sorted.length; to++) {
      const { start, length } = sorted[to]!;
      const isRun = to === from || start - end <= options.maxGap;
      end = Math.max(end, start + length);
      if (!isRun || end - first.start > options.maxLength || (to > from && end > barrier)) break;
      const requests = before.requests + 1;
      const registers = before.registers + end - first.start;
      const known = best[to + 1];
      if (
        known === undefined ||
        requests < known.requests ||
        (requests === known.requests && registers < known.registers)
      ) {
        best[to + 1] = { requests, registers, from, end };
      }
    }
  });
  const plan: PlannedRead<R>[] = [];
  for (let to = sorted.length; to > 0; ) {
    const { from, end } = best[to]!;
    const { start } = sorted[from]!;
    plan.push({ start, length: end - start, ranges: sorted.slice(from, to) });
    to = from;
  }
  return plan.reverse();
}

function firstCutAfter(cuts: readonly number[], place: number): number {
  let [low, high] = [0, cuts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cuts[middle]! <= place) low = middle + 1;
    else high = middle;
  }
  return cuts[low] ?? Number.POSITIVE_INFINITY;
}
