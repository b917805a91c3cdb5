import type { Micros } from "@penstock/model";
import type { Cancel, Clock } from "@penstock/runtime";
import type { SimClock } from "./sim-clock.ts";

/** How the process ended; `power` also takes the machine's disk cache with it, and its peers hear nothing. */
export type SimEnd = "exit" | "crash" | "power";

export interface SimProcessOptions {
  readonly name: string;
  readonly number: number;
  readonly clock: SimClock;
  /** called before each of the process's events; the process may be ended there, and the event then never runs */
  readonly onStep: (process: SimProcess, label: string) => void;
  /** what an event threw, or a promise handed to `run` rejected with, while the process was alive */
  readonly onError: (error: unknown, process: SimProcess) => void;
}

/**
 * A process that lives in virtual time. It acts only through its clock, its ports and what they call, so when it is
 * crashed its timers never fire, its ports never answer, and code that awaits them simply never goes on.
 */
export class SimProcess {
  readonly name: string;
  readonly number: number;
  readonly clock: Clock;
  readonly #options: SimProcessOptions;
  readonly #onEnd = new Set<(end: SimEnd) => void>();
  #end: SimEnd | null = null;

  constructor(options: SimProcessOptions) {
    this.name = options.name;
    this.number = options.number;
    this.#options = options;
    this.clock = this.#makeClock();
  }

  get isAlive(): boolean {
    return this.#end === null;
  }

  /** Runs `run` after `delayMs` as one event of this process, unless it has ended by then. Ports use it to answer. */
  later(delayMs: number, label: string, run: () => void): Cancel {
    if (!this.isAlive) return () => {};
    return this.#options.clock.after(delayMs, () => this.enter(label, run));
  }

  /** As `later`, now: for a port that is called by somebody else's event, such as a frame that arrives. */
  enter(label: string, run: () => void): void {
    if (!this.isAlive) return;
    this.#options.onStep(this, label);
    // onStep may have ended it: that is a crash between two steps.
    if (!this.isAlive) return;
    try {
      run();
    } catch (error) {
      this.#options.onError(error, this);
    }
  }

  /** Watches over a promise of the process's own; a rejection after its end is nobody's concern. */
  run(work: () => Promise<unknown>): void {
    work().catch((error: unknown) => {
      if (this.isAlive) this.#options.onError(error, this);
    });
  }

  /** @returns a function that takes the listener off again */
  onEnd(listener: (end: SimEnd) => void): Cancel {
    this.#onEnd.add(listener);
    return () => this.#onEnd.delete(listener);
  }

  end(how: SimEnd = "exit"): void {
    if (this.#end !== null) return;
    this.#end = how;
    for (const listener of this.#onEnd) listener(how);
    this.#onEnd.clear();
  }

  #makeClock(): Clock {
    const machine = this.#options.clock;
    let last = Number.NEGATIVE_INFINITY;
    return {
      // Never backwards within a process; a new process sees the wall as it then stands.
      now: () => {
        last = Math.max(last, machine.wall());
        return last as Micros;
      },
      monotonic: () => machine.monotonic(),
      after: (delayMs, run) => this.later(delayMs, "timer", run),
    };
  }
}
