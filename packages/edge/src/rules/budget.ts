import { effort } from "@penstock/rules";
import type { Clock } from "@penstock/runtime";

/** share of the processor that a rule may use for long */
const share = 0.5;
/** beyond its share, microseconds: about four seconds of a rule that never ends a row */
const mostMicros = 2_000_000;
/** of one input, microseconds: half a cycle of a fast device, which is collected on the same thread */
const inputMicros = 50_000;
/** A step that took longer was held up by the machine, not by the rule. */
const stepMicros = 25_000;

/** How much a rule has used of the processor beyond its share; what it does not use now it does not save up. */
export class Budget {
  readonly #clock: Clock;
  #debt = 0;
  #last: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#last = clock.monotonic();
  }

  /** @returns false once the rule has used too much @throws TooMuchWork in the middle of what takes too long by itself */
  spend(work: () => void): boolean {
    const begin = this.#clock.monotonic();
    this.#debt = Math.max(0, this.#debt - (begin - this.#last) * share);
    this.#last = begin;
    try {
      this.bound(work);
    } finally {
      this.#debt += this.#clock.monotonic() - begin;
    }
    return this.isWithin;
  }

  /** As `spend`, at nobody's cost: what is done again after a restart was paid for when it was done first. */
  bound(work: () => void): void {
    let last = this.#clock.monotonic();
    let used = 0;
    effort.within(() => {
      const now = this.#clock.monotonic();
      used += Math.min(now - last, stepMicros);
      last = now;
      return used > inputMicros;
    }, work);
  }

  get isWithin(): boolean {
    return this.#debt <= mostMicros;
  }
}
