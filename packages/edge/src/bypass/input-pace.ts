const burstMicros = 1_000_000;
/** What everybody has, however busy others are. */
const freePerSecond = 20;

/**
 * How fast clients may say things: each one, and all together, a second's worth at once and then at its rate. Who comes
 * too early waits, and nothing more is read from its connection meanwhile, so that a flood stays with who makes it.
 */
export class InputPace {
  readonly #perSecond: number;
  readonly #inAll: Pace;

  constructor(limits: { readonly packetsPerSecond: number; readonly packetsPerSecondInAll: number }) {
    this.#perSecond = limits.packetsPerSecond;
    this.#inAll = new Pace(limits.packetsPerSecondInAll);
  }

  /** One client's: tells how many milliseconds it has to wait after so much. @param now monotonic, microseconds */
  client(): (count: number, now: number) => number {
    const [own, free] = [new Pace(this.#perSecond), new Pace(freePerSecond)];
    return (count, now) => {
      const waits = own.take(count, now);
      return (free.take(count, now) === 0 ? waits : Math.max(waits, this.#inAll.take(count, now))) / 1000;
    };
  }
}

/** @source ITU-T I.371, generic cell rate algorithm: one number says how much is used up */
class Pace {
  readonly #micros: number;
  #usedUntil = 0;

  constructor(perSecond: number) {
    this.#micros = 1_000_000 / perSecond;
  }

  take(count: number, now: number): number {
    this.#usedUntil = Math.max(this.#usedUntil, now) + count * this.#micros;
    return Math.max(0, this.#usedUntil - now - burstMicros);
  }
}
