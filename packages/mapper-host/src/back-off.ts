/** Soon enough that nobody waits long for a device that is back, seldom enough that a dead one costs nothing. */
const firstMs = 250;
const mostMs = 5000;

/**
 * How long to wait before trying again: nothing after the first failure, then doubling up to 5 s, the upper half of it
 * random so that connections that failed together do not come back together.
 *
 * @param failures in a row, 1..
 * @param random 0 ≤ random < 1
 */
export function backOffMs(failures: number, random: number): number {
  if (failures <= 1) return 0;
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(20, failures - 2));
  return Math.round(whole * (0.5 + random / 2));
}
