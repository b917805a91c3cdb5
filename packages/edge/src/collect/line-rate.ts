import type { Clock } from "@penstock/runtime";

/** How many log lines of a mapper pass: 100 at once, 20 a second on average. */
const burst = 100;
const perSecond = 20;

/** A bucket of lines that fills with time. */
export class LineRate {
  readonly #clock: Clock;
  #left = burst;
  #at: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.monotonic();
  }

  /** false = one too many */
  take(): boolean {
    const now = this.#clock.monotonic();
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / 1e6) * perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
