/** One input of a rule has taken longer than it may; it is no error of a row: all that comes of the input ends. */
export class TooMuchWork extends Error {}

/** Reading a clock costs more than most steps. */
const stepsBetween = 64;

/**
 * What a rule does for one input, so that it can be ended in the middle: everything here runs on the thread that collects.
 * Whatever loops over rows tells its steps. One for the whole thread, since a rule does not give way while it works.
 */
class Effort {
  #isOver: () => boolean = never;
  #left = stepsBetween;

  /** @param isOver asked now and then by steps within the work @throws TooMuchWork once it says yes */
  within(isOver: () => boolean, work: () => void): void {
    const [before, left] = [this.#isOver, this.#left];
    this.#isOver = isOver;
    this.#left = stepsBetween;
    try {
      work();
    } finally {
      this.#isOver = before;
      this.#left = left;
    }
  }

  /** One row has been looked at. */
  step(): void {
    if (--this.#left > 0) return;
    this.look();
  }

  /** Something took longer than rows do. */
  look(): void {
    this.#left = stepsBetween;
    if (this.#isOver()) throw new TooMuchWork("It took too long over one input");
  }
}

function never(): boolean {
  return false;
}

export const effort = new Effort();
