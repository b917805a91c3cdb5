import { type Clock, sleep } from "@penstock/runtime";
import type { Held } from "./fed-rules.ts";
import type { NewInput, RuleInput } from "./rule-state.ts";

/** of one turn: others have their own between */
const sliceMicros = 10_000;
/** Inputs that wait for their turn. Those of the bus wait there, so that these are of sources and rules; the oldest go. */
const waitingMost = 10_000;

/** An input that has its position, and the rules that read it. */
export interface StartedInput {
  readonly input: RuleInput;
  readonly position: number;
  readonly readers: readonly Held[];
}
type Coming = NewInput | { readonly t: "tick" };

export interface InputTurnsOptions {
  readonly clock: Clock;
  /** @returns null where nobody reads it, or it came before */
  start(coming: Coming): StartedInput | null;
  feed(held: Held, input: StartedInput): void;
  /** all have had it */
  finished(input: StartedInput): void;
  /** nothing waits any more, after more than one turn */
  rested(): void;
  dropped(): void;
}

/**
 * Gives inputs to rules in the order in which they came: one is finished for all its readers before the next begins. What
 * does not fit a slice of time goes on in a turn of its own.
 */
export class InputTurns {
  readonly #options: InputTurnsOptions;
  readonly #waiting: Coming[] = [];
  #current: { readonly started: StartedInput; at: number } | null = null;
  #going: Promise<void> | null = null;
  /** to be done between two inputs */
  #between: (() => Promise<void>) | null = null;
  /** nothing is given before rules are where they were */
  #isHeld = true;
  #isGiving = false;

  constructor(options: InputTurnsOptions) {
    this.#options = options;
  }

  /** resolves when nothing waits; null: nothing does */
  get going(): Promise<void> | null {
    return this.#going;
  }

  push(coming: Coming): void {
    if (this.#waiting.push(coming) > waitingMost) {
      this.#waiting.shift();
      this.#options.dropped();
    }
    this.#go();
  }

  release(): void {
    this.#isHeld = false;
    this.#go();
  }

  /** Resolves when the work is done, at a moment at which rules have had all of each input. */
  async between(work: () => Promise<void>): Promise<void> {
    let failure: unknown = null;
    const done = new Promise<void>((resolve) => {
      this.#between = () =>
        work()
          .catch((error: unknown) => {
            failure = error;
          })
          .finally(resolve);
    });
    this.#going ??= this.#giveRest();
    await done;
    if (failure !== null) throw failure;
  }

  /** What has not begun is not given. Resolves when what has begun is finished. */
  async close(): Promise<void> {
    this.#waiting.length = 0;
    await this.#going;
  }

  #go(): void {
    if (this.#isHeld || this.#isGiving || this.#going !== null) return;
    if (!this.#giveSome()) this.#going = this.#giveRest();
  }

  async #giveRest(): Promise<void> {
    for (;;) {
      if (this.#between !== null && this.#current === null) {
        const work = this.#between;
        this.#between = null;
        await work();
      } else await sleep(this.#options.clock, 0);
      if (this.#giveSome() && this.#between === null) break;
    }
    this.#going = null;
    this.#options.rested();
  }

  /** @returns whether nothing is left to give */
  #giveSome(): boolean {
    const { clock, feed, finished } = this.#options;
    if (this.#isHeld) return true;
    const began = clock.monotonic();
    this.#isGiving = true;
    let isOver = false;
    while (!isOver) {
      const current = this.#current ?? this.#next();
      if (current === null) break;
      const held = current.started.readers[current.at++];
      if (held !== undefined) feed(held, current.started);
      if (current.at >= current.started.readers.length) {
        this.#current = null;
        finished(current.started);
      }
      isOver = clock.monotonic() - began > sliceMicros;
    }
    this.#isGiving = false;
    return this.#current === null && this.#waiting.length === 0;
  }

  #next(): { readonly started: StartedInput; at: number } | null {
    while (this.#waiting.length > 0 && this.#between === null) {
      const started = this.#options.start(this.#waiting.shift()!);
      if (started === null) continue;
      this.#current = { started, at: 0 };
      return this.#current;
    }
    return null;
  }
}
