import { AppError } from "@penstock/model";

/** Work that takes turns: one at a time, in the order of asking, at most `bound` waiting. */
export class Turns {
  readonly #bound: number;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(bound: number) {
    this.#bound = bound;
  }

  /** @throws AppError mapper/device-busy beyond the bound; aborted when nobody waits any more at its turn; what `work` throws */
  async take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#waiting >= this.#bound)
      throw new AppError("mapper/device-busy", `Cannot ask: ${this.#bound} questions wait`);
    this.#waiting++;
    const turn = this.#last.then(() => {
      if (signal?.aborted === true) throw new AppError("aborted", "Nobody waits any more", { cause: signal.reason });
      return work();
    });
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#waiting--;
    }
  }
}

const shared = new Map<string, { readonly turns: Turns; users: number }>();

/** The same turns for all of this process who name the same thing, until the last has let go. */
export function sharedTurns(name: string, bound: number): { readonly turns: Turns; release(): void } {
  const known = shared.get(name) ?? { turns: new Turns(bound), users: 0 };
  shared.set(name, known);
  known.users++;
  return {
    turns: known.turns,
    release: () => {
      known.users--;
      if (known.users === 0) shared.delete(name);
    },
  };
}
