import { setTimeout as sleep } from "node:timers/promises";

/**
 * Asks again and again until `look` answers; an error of it counts as "not yet".
 *
 * @returns null when it did not in time
 */
export async function until<T>(
  look: () => Promise<T | null> | T | null,
  withinMs: number,
  everyMs = 50,
): Promise<T | null> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await (async () => look())().catch(() => null);
    if (found !== null) return found;
    if (performance.now() >= deadline) return null;
    await sleep(everyMs);
  }
}
