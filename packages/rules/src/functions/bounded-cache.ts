/**
 * What was made from a text, so that it is not made again for each row. Holds so many at most; the one that was made first
 * goes first, since rules ask for few different texts and a hostile one asks for each only once.
 */
export class BoundedCache<Made> {
  readonly #made = new Map<string, Made>();
  readonly #most: number;
  readonly #make: (text: string) => Made;

  /** @param make  what it throws is thrown each time anew */
  constructor(most: number, make: (text: string) => Made) {
    this.#most = most;
    this.#make = make;
  }

  get(text: string): Made {
    const known = this.#made.get(text);
    if (known !== undefined) return known;
    const made = this.#make(text);
    if (this.#made.size >= this.#most) this.#made.delete(this.#made.keys().next().value!);
    this.#made.set(text, made);
    return made;
  }
}
