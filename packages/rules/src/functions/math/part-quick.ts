const powers = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
/** Below it the product of a float and a power of ten is wrong by far less than `doubt`. */
const most = 1e9;
const doubt = 1e-6;

/**
 * What `cutDecimal(writtenDecimal(x), places, …)` gives, in a tenth of the time, for most numbers that come from machines.
 *
 * @returns undefined where it may be wrong: beside a half, or where a whole number begins
 */
export function quickCut(x: number, places: number, cut: "halfAway" | "towardsZero"): number | undefined {
  const factor = powers[places];
  if (factor === undefined) return undefined;
  const scaled = Math.abs(x * factor);
  if (!(scaled < most)) return undefined;
  const whole = Math.floor(scaled);
  const rest = scaled - whole;
  // Zero has no sign here.
  if (cut === "halfAway")
    return Math.abs(rest - 0.5) < doubt ? undefined : (Math.sign(x) * Math.floor(scaled + 0.5)) / factor + 0;
  return rest < doubt || rest > 1 - doubt ? undefined : (Math.sign(x) * whole) / factor + 0;
}
