import type { LineSettings } from "@penstock/model";

/**
 * How long to wait before trying again: nothing after the first failure, since most connections come back at once; then
 * the line's first back-off, doubling up to its longest. The upper half is random, so that connections that failed
 * together do not come back together, and a probe of collect, which waits the whole of it, finds the wait over.
 *
 * @param failures in a row, 1..
 * @param random 0 ≤ random < 1
 */
export function backOffMs(line: LineSettings, failures: number, random: number): number {
  if (failures <= 1) return 0;
  const whole = Math.min(line.backOffLongestMs, line.backOffFirstMs * 2 ** Math.min(30, failures - 2));
  return Math.round(whole * (0.5 + random / 2));
}
