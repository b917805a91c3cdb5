/** One input of a rule has done more than it may; it is no error of a row: all that comes of the input ends. */
export class TooMuchWork extends Error {}

/** Where nothing bounds the work. */
const plenty = 2 ** 30;
/** What looking at a row costs where nobody says what the query does with it. */
const rowUnits = 10;

/** fields, up to which finding one takes next to nothing */
const smallStruct = 128;

/** What a rule may do for one input. */
export interface Work {
  readonly units: number;
  /** that looking at one row costs; a long query does more with it than a short one */
  readonly perRow: number;
}

/**
 * What a rule does for one input, so that it can be ended in the middle: nothing else runs on the thread meanwhile. It is
 * counted, and not timed: the same input after the same state ends at the same step, on any machine and when it is
 * fed again after a restart. So what is counted must not depend on what happens to be cached.
 *
 * A unit is about 10 ns of what costs most for it. Whatever loops over what a rule's author or a device can make large tells
 * its units, before or while it does them. One for the whole thread, since a rule does not give way while it works.
 */
class Effort {
  #left = plenty;
  #perRow = rowUnits;
  #isBounded = false;

  /** @throws TooMuchWork within the work, once it has taken more */
  within({ units, perRow }: Work, work: () => void): void {
    const [left, per, wasBounded] = [this.#left, this.#perRow, this.#isBounded];
    this.#left = units;
    this.#perRow = perRow;
    this.#isBounded = true;
    try {
      work();
    } finally {
      this.#left = left;
      this.#perRow = per;
      this.#isBounded = wasBounded;
    }
  }

  /** One row has been looked at, or joined of others. */
  step(): void {
    this.spend(this.#perRow);
  }

  /** @param units whole */
  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) this.#over();
  }

  /** So many characters or bytes are looked at, copied or compared by the platform itself. */
  chars(count: number): void {
    this.spend(count >> 4);
  }

  /** So many characters or bytes become something else one by one. */
  eachChar(count: number): void {
    this.spend(count << 1);
  }

  /** So many elements are looked at or copied. */
  parts(count: number): void {
    this.spend(count << 1);
  }

  /** So many fields of one struct are looked up or defined by name; the platform has another form for a large one. */
  fields(count: number): void {
    this.spend(count * (count > smallStruct ? 40 : 8));
  }

  /** So many values are put in order; what comparing two of them costs beyond a look at them comes on top. */
  sort(count: number): void {
    if (count > 1) this.spend(count * 3 * (32 - Math.clz32(count - 1)));
  }

  #over(): void {
    if (this.#isBounded) {
      // Whatever is done after it ends at once as well.
      this.#left = 0;
      throw new TooMuchWork("It takes too much work over one input");
    }
    this.#left = plenty;
  }
}

export const effort = new Effort();
