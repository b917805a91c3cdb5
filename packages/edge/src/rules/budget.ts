import type { Clock } from "@penstock/runtime";

/** share of the processor that a rule may use for long */
const share = 0.5;
/** beyond its share, microseconds: about four seconds of a rule that never ends a row */
const mostMicros = 2_000_000;

/** How much a rule has used of the processor beyond its share; what it does not use now it does not save up. */
export class Budget {
  readonly #clock: Clock;
  #debt = 0;
  #last: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#last = clock.monotonic();
  }

  /** @returns false once the rule has used too much */
  spend(work: () => void): boolean {
    const begin = this.#clock.monotonic();
    this.#debt = Math.max(0, this.#debt - (begin - this.#last) * share);
    work();
    const end = this.#clock.monotonic();
    this.#last = begin;
    this.#debt += end - begin;
    return this.#debt <= mostMicros;
  }
}
