import { limits } from "@penstock/model";

/** So many requests a second, and as many at once after a pause. */
export class RequestRate {
  readonly #perSecond: number;
  #left: number;
  #at: number | null = null;

  constructor(perSecond: number = limits.localRequestsPerSecond) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** @param now  monotonic microseconds */
  isWithin(now: number): boolean {
    const gained = this.#at === null ? 0 : ((now - this.#at) / 1_000_000) * this.#perSecond;
    this.#left = Math.min(this.#perSecond, this.#left + gained);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
