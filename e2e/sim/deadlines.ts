/**
 * Until when what was set may reach a machine, as the cloud told it last, in true time: neither its own clock nor the
 * gateway's, which both are set to and fro.
 */
export class Deadlines {
  readonly #byName = new Map<string, number>();

  /** The cloud hands it out, with so much time left. */
  offered(name: string, deadline: number): void {
    // Offered again after the cloud's clock was set back, it has longer: that is the clock's doing.
    this.#byName.set(name, Math.max(deadline, this.#byName.get(name) ?? 0));
  }

  /** @returns microseconds after its deadline; 0 = in time */
  late(name: string, at: number): number {
    return Math.max(0, at - (this.#byName.get(name) ?? at));
  }
}
