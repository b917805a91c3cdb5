import type { DriverClock } from "./driver.ts";

/** A clock that a test moves, so that no test of a time-out waits. */
export class ManualClock implements DriverClock {
  #now = 1_000_000;
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + delayMs * 1000, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Runs what is due, earliest first, timers that those start included. */
  move(ms: number): void {
    const end = this.#now + ms * 1000;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = end;
  }
}
