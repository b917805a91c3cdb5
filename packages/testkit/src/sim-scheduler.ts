import { SimClock, settle, settlePromises } from "./sim-clock.ts";
import { type SimEnd, SimProcess } from "./sim-process.ts";
import { SimRandom } from "./sim-random.ts";
import { TraceHash } from "./trace-hash.ts";

export interface SimStep {
  /** 1.. over the whole run */
  readonly n: number;
  readonly process: SimProcess;
  /** "timer", or what the port says it does: "disk sync", "frame" … */
  readonly label: string;
}

/**
 * Runs simulated processes on virtual time, one event at a time, with every promise settled between two of them. The
 * same seed and the same program give the same events in the same order, which `traceHash` shows.
 *
 * Duty of the program under test: it reaches time, chance, disk and network only through ports made here.
 */
export class SimScheduler {
  readonly clock: SimClock;
  readonly random: SimRandom;
  readonly trace = new TraceHash();
  readonly #errors: unknown[] = [];
  #beforeStep: ((step: SimStep) => void) | null = null;
  #steps = 0;
  #processes = 0;

  constructor(options: { readonly seed: number; readonly clock?: SimClock }) {
    this.random = new SimRandom(options.seed);
    this.clock = options.clock ?? new SimClock();
  }

  get steps(): number {
    return this.#steps;
  }

  get traceHash(): string {
    return this.trace.digest();
  }

  /** `listener` may end the step's process: a crash just before that step. One listener at a time. */
  beforeStep(listener: (step: SimStep) => void): void {
    this.#beforeStep = listener;
  }

  /** Starts a process; `main` runs as its first event. Starting the same name again is a restart, with a new clock. */
  spawn(name: string, main: (process: SimProcess) => void | Promise<void>): SimProcess {
    const process = new SimProcess({
      name,
      number: ++this.#processes,
      clock: this.clock,
      onStep: (stepping, label) => this.#onStep(stepping, label),
      onError: (error, failed) =>
        this.#errors.push(new Error(`Process "${failed.name}" failed at step ${this.#steps}`, { cause: error })),
    });
    process.later(0, "start", () => process.run(async () => main(process)));
    return process;
  }

  /** Ends `process` at a random moment within `withinMs`. */
  crashWithin(process: SimProcess, withinMs: number, how: SimEnd = "crash"): void {
    this.clock.after(this.random.number() * withinMs, () => process.end(how));
  }

  /**
   * Runs events until `until` says so, none is left, or virtual `forMs` have passed; then time stands at the end of `forMs`.
   *
   * @throws Error of the first process that failed, and after `mostSteps` (default 1,000,000): something loops
   */
  async run(
    options: { readonly forMs?: number; readonly until?: () => boolean; readonly mostSteps?: number } = {},
  ): Promise<void> {
    const end = options.forMs === undefined ? Number.POSITIVE_INFINITY : this.clock.monotonic() + options.forMs * 1000;
    const most = this.#steps + (options.mostSteps ?? 1_000_000);
    await settle();
    while (options.until?.() !== true) {
      this.#throwFirst();
      const next = this.clock.nextAt();
      if (next === undefined || next > end) {
        if (end !== Number.POSITIVE_INFINITY) this.clock.advance((end - this.clock.monotonic()) / 1000);
        break;
      }
      this.clock.step();
      if (this.#steps > most) throw new Error(`Not at rest after ${this.#steps} steps, at ${next} µs`);
      // A turn of the event loop now and then, and before any claim to be at rest, for code that waits for one.
      if (this.#steps % 64 === 0 || this.clock.nextAt() === undefined) await settle();
      else await settlePromises();
    }
    this.#throwFirst();
  }

  #onStep(process: SimProcess, label: string): void {
    this.#steps++;
    this.trace.number(this.clock.monotonic());
    this.trace.number(process.number);
    this.trace.text(label);
    this.#beforeStep?.({ n: this.#steps, process, label });
  }

  #throwFirst(): void {
    const error = this.#errors.shift();
    if (error !== undefined) throw error;
  }
}
