/** Closed ranges [from, to] of sequence numbers, ascending, disjoint and never touching. */
export type Ranges = readonly (readonly [from: number, to: number])[];

export function addRange(ranges: Ranges, from: number, to: number): Ranges {
  if (to < from) return ranges;
  const last = ranges[ranges.length - 1];
  // The common case is growth at the end.
  if (last === undefined || from > last[1] + 1) return [...ranges, [from, to]];
  if (from >= last[0]) {
    if (to <= last[1]) return ranges;
    return [...ranges.slice(0, -1), [last[0], to]];
  }
  const before = ranges.filter((range) => range[1] < from - 1);
  const after = ranges.filter((range) => range[0] > to + 1);
  const touched = ranges.slice(before.length, ranges.length - after.length);
  const low = Math.min(from, touched[0]?.[0] ?? from);
  const high = Math.max(to, touched[touched.length - 1]?.[1] ?? to);
  return [...before, [low, high], ...after];
}

/** The parts of [from, to] that `ranges` does not hold. */
export function missingFrom(ranges: Ranges, from: number, to: number): Ranges {
  const missing: [number, number][] = [];
  let next = from;
  for (const [low, high] of ranges) {
    if (high < next) continue;
    if (low > to) break;
    if (low > next) missing.push([next, low - 1]);
    next = high + 1;
    if (next > to) return missing;
  }
  if (next <= to) missing.push([next, to]);
  return missing;
}

export function holds(ranges: Ranges, from: number, to: number): boolean {
  return missingFrom(ranges, from, to).length === 0;
}

/** Highest number n such that 1..n (or first..n) is held without a hole; first - 1 when the first is missing. */
export function contiguousTo(ranges: Ranges, first: number): number {
  for (const [low, high] of ranges) if (low <= first && first <= high) return high;
  return first - 1;
}
