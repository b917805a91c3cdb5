import type { BootId } from "@penstock/model";

/** The hellos of one node: which boot, when. A restart shows each boot once; two machines show them in turns. Pure. */
export interface BootSightings {
  /** oldest first; a boot seen again right after itself moves its time only */
  readonly seen: readonly { readonly boot: BootId; readonly at: number }[];
}

export const noSightings: BootSightings = { seen: [] };
export const duplicateWindowMicros = 600_000_000;
const remembered = 16;

/** @param at monotonic microseconds of the hello */
export function sawBoot(state: BootSightings, boot: BootId, at: number): BootSightings {
  const recent = state.seen.filter((sighting) => at - sighting.at < duplicateWindowMicros);
  if (recent.at(-1)?.boot === boot) return { seen: recent.with(-1, { boot, at }) };
  return { seen: [...recent, { boot, at }].slice(-remembered) };
}

/** Two boots, each seen again after the other within ten minutes: A B A B. */
export function isDuplicate(state: BootSightings, now: number): boolean {
  const recent = state.seen.filter((sighting) => now - sighting.at < duplicateWindowMicros).map(({ boot }) => boot);
  return recent.some((a, i) =>
    recent.some((b, j) => j > i && b !== a && recent.indexOf(a, j) > j && recent.indexOf(b, recent.indexOf(a, j)) > j),
  );
}
