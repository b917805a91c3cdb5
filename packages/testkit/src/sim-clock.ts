import type { Micros } from "@penstock/model";
import type { Cancel, Clock } from "@penstock/runtime";
import { SimQueue } from "./sim-queue.ts";

/** 2027-01-15T08:00:00Z: after any build date, so that a floored clock does not hide a fault */
export const simStart = 1_800_000_000_000_000 as Micros;

/**
 * Virtual time. Nothing happens by itself: a test moves it with `advance`, the scheduler with `step`. Timers of equal
 * time run in the order in which they were set. The wall clock may jump; timers and monotonic time do not notice.
 */
export class SimClock implements Clock {
  readonly #queue = new SimQueue();
  #monotonic = 0;
  #wallOffset: number;
  #lastNow: number;

  constructor(options: { readonly start?: Micros; readonly monotonic?: number } = {}) {
    this.#monotonic = options.monotonic ?? 1_000_000;
    this.#wallOffset = (options.start ?? simStart) - this.#monotonic;
    this.#lastNow = Number.NEGATIVE_INFINITY;
  }

  /** as the contract says, never backwards: a jump back holds it still until the wall has caught up */
  now(): Micros {
    this.#lastNow = Math.max(this.#lastNow, this.wall());
    return this.#lastNow as Micros;
  }

  /** the machine's wall clock as it stands, backwards jumps and all; whole microseconds */
  wall(): Micros {
    return (this.#monotonic + this.#wallOffset) as Micros;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(delayMs: number, run: () => void): Cancel {
    const event = this.#queue.push(this.#monotonic + Math.max(0, Math.round(delayMs * 1000)), run);
    return () => {
      event.cancelled = true;
    };
  }

  /** As someone who sets the machine's clock. */
  jumpWall(byMs: number): void {
    this.#wallOffset += Math.round(byMs * 1000);
  }

  /** monotonic time of the next timer; undefined when there is none */
  nextAt(): number | undefined {
    return this.#queue.peek()?.at;
  }

  /** Moves to the next timer and runs it. @returns false when there is none */
  step(): boolean {
    const event = this.#queue.pop();
    if (event === undefined) return false;
    this.#monotonic = event.at;
    event.run();
    return true;
  }

  /**
   * Moves time by `ms`, running the timers that fall due, those set meanwhile too. For code without promises; code that
   * awaits goes on only after the caller awaits: use `advanceAsync` there.
   */
  advance(ms: number): void {
    const until = this.#monotonic + Math.round(ms * 1000);
    while ((this.nextAt() ?? Number.POSITIVE_INFINITY) <= until) this.step();
    this.#monotonic = until;
  }

  /** `advance`, with every promise settled before the first timer and after each. */
  async advanceAsync(ms: number): Promise<void> {
    const until = this.#monotonic + Math.round(ms * 1000);
    await settle();
    while ((this.nextAt() ?? Number.POSITIVE_INFINITY) <= until) {
      this.step();
      await settle();
    }
    this.#monotonic = until;
  }

  /** Steps until `done` says so; for code without promises. @throws Error when no timer is left, or after `most` steps */
  runUntil(done: () => boolean, most = 100_000): void {
    for (let steps = 0; !done(); steps++) {
      if (steps >= most || !this.step())
        throw new Error(`Condition not met after ${steps} steps, at ${this.#monotonic} µs`);
    }
  }
}

/** Resolves when all that can go on without time or real I/O has gone on: setImmediate runs after it. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * As `settle`, for promises only, at a quarter of the price: called from a promise's continuation, nextTick runs once
 * the whole queue of microtasks is empty, and needs no turn of the event loop.
 */
export function settlePromises(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
