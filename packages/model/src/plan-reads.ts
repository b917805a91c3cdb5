/** Consecutive places of one space, such as the registers of one table of one unit. */
export interface Range {
  readonly start: number;
  readonly length: number;
}

/** What one request costs on a line: a fixed part, and what it carries. */
export interface ReadCost {
  /** microseconds: round trip, turnaround, pause, the bytes that every request and answer has */
  readonly fixed: number;
  /** microseconds of one place */
  readonly perUnit: number;
}

export interface PlanOptions {
  /** most that one request may ask for */
  readonly maxLength: number;
  readonly cost: ReadCost;
  /** most places between two ranges that are read in vain, whatever they cost; no limit unless stated */
  readonly maxGap?: number;
  /** ascending places that no request reads across; equal ranges that lie across one share a request of their own */
  readonly cuts?: readonly number[];
}

export interface PlannedRead<R extends Range> extends Range {
  /** what it reads, by start */
  readonly ranges: readonly R[];
}

export function costOfRead(length: number, { fixed, perUnit }: ReadCost): number {
  return fixed + length * perUnit;
}

/**
 * Joins ranges into requests so that all of them together cost least: a gap is read through where that is cheaper than a
 * request more. Exact, and the same for the mapper that sends them and for the prediction of a line's load.
 *
 * Between two cuts some cheapest plan has requests that are runs of ranges in order of start, because a range inside
 * another costs nothing more in its request, and of two requests that reach into each other the first can leave what
 * lies there to the second. The best cutting into runs is found from the left (`best[i]`: of the first i ranges). No
 * range is longer than `maxLength`.
 */
export function planReads<R extends Range>(ranges: readonly R[], options: PlanOptions): PlannedRead<R>[] {
  const sorted = ranges.toSorted((a, b) => a.start - b.start || a.length - b.length);
  const { cuts = [] } = options;
  if (cuts.length === 0) return planRuns(sorted, options);
  const plan: PlannedRead<R>[] = [];
  /** ranges across a cut, by what they are; the others, by the number of cuts before them */
  const across = new Map<string, R[]>();
  const between = new Map<number, R[]>();
  for (const range of sorted) {
    const before = cutsUpTo(cuts, range.start);
    const isAcross = (cuts[before] ?? Number.POSITIVE_INFINITY) < range.start + range.length;
    if (isAcross) push(across, `${range.start}+${range.length}`, range);
    else push(between, before, range);
  }
  for (const same of across.values()) plan.push({ start: same[0]!.start, length: same[0]!.length, ranges: same });
  for (const segment of between.values()) plan.push(...planRuns(segment, options));
  return plan.sort((a, b) => a.start - b.start);
}

/** @param sorted by start */
function planRuns<R extends Range>(sorted: readonly R[], options: PlanOptions): PlannedRead<R>[] {
  const { maxLength, cost, maxGap = Number.POSITIVE_INFINITY } = options;
  const best: { cost: number; from: number; end: number }[] = [{ cost: 0, from: 0, end: 0 }];
  sorted.forEach((first, from) => {
    const before = best[from]!;
    let end = 0;
    for (let to = from; to < sorted.length; to++) {
      const { start, length } = sorted[to]!;
      const isRun = to === from || start - end <= maxGap;
      end = Math.max(end, start + length);
      if (!isRun || (to > from && end - first.start > maxLength)) break;
      const total = before.cost + costOfRead(end - first.start, cost);
      const known = best[to + 1];
      if (known === undefined || total < known.cost) best[to + 1] = { cost: total, from, end };
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

function cutsUpTo(cuts: readonly number[], place: number): number {
  let [low, high] = [0, cuts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cuts[middle]! <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}
