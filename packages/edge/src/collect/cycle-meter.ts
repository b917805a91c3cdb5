import { type Cadence, type CycleHealth, LastMinute } from "@penstock/model";

/** So many occasions in a row, and a cycle counts as overrun. */
const occasions = 3;
const minuteUs = 60_000_000;

/** Mean distance between the times of a cadence, in milliseconds. */
export function cadenceMs(cadence: Cadence): number {
  return "everyMs" in cadence ? cadence.everyMs : 86_400_000 / cadence.atSeconds.length;
}

/**
 * Measures how one cycle really runs. It is overrun after three occasions within a minute (six cycles, where those are
 * longer) on which it was skipped, and until a minute (three cycles) has passed without one: one stall of the
 * gateway is no overrun, and a cycle at its limit does not flicker. Cycles of a device that is silent are counted, but it
 * is silent, not overrun.
 */
export class CycleMeter {
  readonly #periodUs: number;
  readonly #minute = new LastMinute();
  #ranAt: number | null = null;
  #overruns = 0;
  /** when it was overrun last, latest last */
  #lately: readonly number[] = [];
  #isOverrun = false;

  constructor(cadence: Cadence) {
    this.#periodUs = cadenceMs(cadence) * 1000;
  }

  /** @param at when a read began; microseconds of the monotonic clock */
  ran(at: number): void {
    if (this.#ranAt !== null) this.#minute.add(at, at - this.#ranAt);
    this.#ranAt = at;
  }

  overran(at: number, { cycles, isSilent }: { readonly cycles: number; readonly isSilent: boolean }): void {
    this.#overruns += cycles;
    if (isSilent) return;
    this.#lately = [...this.#lately, at].slice(-occasions);
    const windowUs = Math.max(minuteUs, 6 * this.#periodUs);
    if (this.#lately.length === occasions && at - this.#lately[0]! <= windowUs) this.#isOverrun = true;
  }

  health(at: number): Pick<CycleHealth, "measuredMs" | "longestMs" | "overruns" | "isOverrun"> {
    const last = this.#lately.at(-1);
    if (last !== undefined && at - last > Math.max(minuteUs, 3 * this.#periodUs)) this.#isOverrun = false;
    const ran = this.#minute.summary(at);
    return {
      measuredMs: ran === null ? null : ran.sum / ran.count / 1000,
      longestMs: ran === null ? null : ran.largest / 1000,
      ...{ overruns: this.#overruns, isOverrun: this.#isOverrun },
    };
  }
}

/** The slowest against their cadence first, those that are overrun before all; at most `most`. */
export function slowestCycles(cycles: readonly CycleHealth[], most: number): CycleHealth[] {
  const slowness = ({ isOverrun, measuredMs, cadence }: CycleHealth) =>
    (isOverrun ? 1e9 : 0) + (measuredMs ?? 0) / cadenceMs(cadence);
  const ranked = cycles.map((cycle) => ({ cycle, slowness: slowness(cycle) }));
  ranked.sort((a, b) => b.slowness - a.slowness);
  return ranked.slice(0, most).map(({ cycle }) => cycle);
}
