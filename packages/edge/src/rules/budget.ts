import { limits } from "@penstock/model";
import { effort } from "@penstock/rules";
import type { Clock } from "@penstock/runtime";

/** share of the processor that a rule may use for long */
const share = 0.5;
/** beyond its share, microseconds: about four seconds of a rule that never ends a row */
const mostMicros = 2_000_000;

/**
 * What a rule may do. Of one input so much work, which is counted, so that an input that is fed again ends where it ended
 * before. Over seconds its share of the processor, which takes a clock; what it does not use now it does not save up.
 */
export class Budget {
  readonly #clock: Clock;
  readonly #work: { readonly units: number; readonly perRow: number };
  #debt = 0;
  #last: number;

  /** @param perRow units of work that the query takes for one look at a row */
  constructor(clock: Clock, perRow: number) {
    this.#clock = clock;
    this.#work = { units: limits.ruleInputWork, perRow };
    this.#last = clock.monotonic();
  }

  /** @returns false once the rule has used too much @throws TooMuchWork in the middle of what takes too much by itself */
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
    effort.within(this.#work, work);
  }

  get isWithin(): boolean {
    return this.#debt <= mostMicros;
  }
}
