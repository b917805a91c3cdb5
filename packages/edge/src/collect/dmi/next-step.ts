/** What a mapper is known to hold: a fingerprint by device. */
export type Held = ReadonlyMap<string, string>;
export type Step = { readonly do: "add" | "update" | "remove"; readonly key: string };

/**
 * The next call that brings a mapper from what it holds to what it shall hold; null when there is none. What went is
 * removed first, so that a place on a bus is free before another device takes it. Never a call for what is equal.
 *
 * @param isPaused  devices that the mapper refused a moment ago
 */
export function nextStep(held: Held, wanted: Held, isPaused: (key: string) => boolean): Step | null {
  for (const key of held.keys()) if (!wanted.has(key) && !isPaused(key)) return { do: "remove", key };
  for (const [key, print] of wanted) {
    if (isPaused(key)) continue;
    const before = held.get(key);
    if (before === undefined) return { do: "add", key };
    if (before !== print) return { do: "update", key };
  }
  return null;
}
