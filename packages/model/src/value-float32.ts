const smallestNormal = 2 ** -126;

/**
 * The number whose decimal text is the shortest that still rounds to the same float32: 0.1 for the float32 that a
 * double prints as 0.10000000149011612. Not finite: unchanged.
 */
export function shortestFloat32(value: number): number {
  const single = Math.fround(value);
  if (!Number.isFinite(single) || single === 0) return single;
  // Six digits name at most one normal float32 (FLT_DIG, C17 5.2.4.2.2), so fewer need not be tried; nine always do.
  for (let digits = Math.abs(single) >= smallestNormal ? 6 : 1; digits < 9; digits++) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return short;
  }
  return Number(single.toPrecision(9));
}
