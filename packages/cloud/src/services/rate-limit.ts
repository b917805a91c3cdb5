import type { Clock } from "@penstock/runtime";

/** Attempts per minute and key, in windows of a minute. Bounded: beyond 10,000 keys in a window all others are refused. */
export function createRateLimit(clock: Clock, perMinute: number) {
  const keysMost = 10_000;
  let window = -1;
  const attempts = new Map<string, number>();
  return {
    /** counts an attempt; false when it is one too many */
    allow(key: string): boolean {
      const now = Math.floor(clock.monotonic() / 60_000_000);
      if (now !== window) {
        window = now;
        attempts.clear();
      }
      const count = attempts.get(key) ?? 0;
      if (count === 0 && attempts.size >= keysMost) return false;
      attempts.set(key, count + 1);
      return count < perMinute;
    },
  };
}
