interface Deadline {
  readonly offeredAt: number;
  readonly at: number;
}

/**
 * Until when what was set may reach a machine, as the cloud told it last, in true time: neither its own clock nor the
 * gateway's, which both are set to and fro. Microseconds.
 */
export class Deadlines {
  readonly #byName = new Map<string, Deadline>();

  /** The cloud hands it out, with so much time left. */
  offered(name: string, options: { readonly now: number; readonly ttlMs: number }): void {
    const { now, ttlMs } = options;
    const before = this.#byName.get(name);
    // Offered again after the cloud's clock was set back, it has longer: that is the clock's doing.
    const at = Math.max(now + ttlMs * 1000, before?.at ?? 0);
    this.#byName.set(name, { offeredAt: before?.offeredAt ?? now, at });
  }

  /**
   * @param options.timeLost when the gateway lost count of time: what was offered before that has no deadline any more
   * @returns how long after its deadline; 0 = in time
   */
  late(name: string, options: { readonly at: number; readonly timeLost: readonly number[] }): number {
    const { at, timeLost } = options;
    const deadline = this.#byName.get(name);
    if (deadline === undefined || timeLost.some((time) => deadline.offeredAt <= time && time <= at)) return 0;
    return Math.max(0, at - deadline.at);
  }
}
