/** A message counts once more for every so many bytes. */
const bytesPerCount = 4096;
const burstMicros = 1_000_000;

/**
 * How fast clients may publish: each one, and all together, a second's worth at once and then at its rate. Who comes too
 * early waits, and its connection with it: nothing more is read from it, so that a flood stays with who makes it.
 */
export class PublishPace {
  readonly #perSecond: number;
  readonly #inAll: Pace;
  readonly #clients = new WeakMap<object, Pace>();

  constructor(limits: { readonly publishesPerSecond: number; readonly publishesPerSecondInAll: number }) {
    this.#perSecond = limits.publishesPerSecond;
    this.#inAll = new Pace(limits.publishesPerSecondInAll);
  }

  /** @param now monotonic, microseconds. @returns how many milliseconds the message has to wait */
  take(client: object, bytes: number, now: number): number {
    let own = this.#clients.get(client);
    if (own === undefined) {
      own = new Pace(this.#perSecond);
      this.#clients.set(client, own);
    }
    const count = 1 + bytes / bytesPerCount;
    return Math.max(own.take(count, now), this.#inAll.take(count, now)) / 1000;
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
