import type { Micros } from "./ids.ts";
import { DayTimes } from "./time-of-day.ts";

/** Runs of slots that are remembered apart; when there are more, the two nearest become one. */
const mostRuns = 16;

/**
 * Says when a time of day has come, however the wall clock is set. Promise: no slot comes twice, so a clock that is set
 * back goes through times that came already in silence. A slot that was passed over (the clock set forward, the gateway
 * asleep) comes late, and of several such only the last. Slots before the first look never come.
 *
 * What came is known as long as the object lives. Duty of the caller: look at `nextAt` and every few seconds, since only
 * a look shows that the clock was set; and only while the clock can be believed.
 */
export class DaySlots {
  readonly #times: DayTimes;
  /** slots that have come, as first and last of runs without a gap */
  #came: (readonly [first: number, last: number])[] = [];
  #slot: number | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(options: { readonly atSeconds: readonly number[]; readonly timeZone: string }) {
    this.#times = new DayTimes(options);
  }

  /** true when a slot has come since the last look */
  look(wall: Micros): boolean {
    const isSteady = wall >= this.#lookedAt && wall < this.#nextAt;
    this.#lookedAt = wall;
    if (isSteady) return false;
    const slot = this.#times.slotAt(wall);
    const isNew = this.#slot !== null && slot > this.#slot && !this.#hasCome(slot);
    if (isNew) this.#remember(slot);
    this.#slot = slot;
    let next = slot + 1;
    for (const [first, last] of this.#came) if (next >= first && next <= last) next = last + 1;
    this.#nextAt = this.#times.momentOf(next);
    return isNew;
  }

  /** when the next slot comes, by the wall as it was at the last look */
  get nextAt(): Micros {
    return this.#nextAt as Micros;
  }

  #hasCome(slot: number): boolean {
    return this.#came.some(([first, last]) => slot >= first && slot <= last);
  }

  #remember(slot: number): void {
    const runs = [...this.#came, [slot, slot] as const].sort(([a], [b]) => a - b);
    // Neighbours become one run; beyond the bound so do the nearest: rather too silent than twice.
    while (runs.length > 1) {
      const gaps = runs.slice(1).map(([first], i) => first - runs[i]![1]);
      const at = gaps.indexOf(Math.min(...gaps));
      if (gaps[at]! > 1 && runs.length <= mostRuns) break;
      runs.splice(at, 2, [runs[at]![0], runs[at + 1]![1]]);
    }
    this.#came = runs;
  }
}
