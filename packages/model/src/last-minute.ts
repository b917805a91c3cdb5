const sliceUs = 10_000_000;
const slices = 7;
const fields = 3;

/** What came in the last minute (60 to 70 seconds of it), in slices of ten seconds: the cost of one more is constant. */
export class LastMinute {
  /** per slice: count, sum, largest */
  readonly #held = new Float64Array(slices * fields);
  #slice = 0;
  #since: number | null = null;

  /** @param at microseconds of a monotonic clock, never less than before */
  add(at: number, value: number): void {
    this.#since ??= at;
    const from = this.#place(at);
    this.#held[from]! += 1;
    this.#held[from + 1]! += value;
    this.#held[from + 2] = Math.max(this.#held[from + 2]!, value);
  }

  /** @returns null when nothing came; `spanUs`: the time that it covers */
  summary(at: number): {
    readonly count: number;
    readonly sum: number;
    readonly largest: number;
    readonly spanUs: number;
  } | null {
    this.#place(at);
    let count = 0;
    let sum = 0;
    let largest = 0;
    for (let from = 0; from < this.#held.length; from += fields) {
      count += this.#held[from]!;
      sum += this.#held[from + 1]!;
      largest = Math.max(largest, this.#held[from + 2]!);
    }
    if (count === 0) return null;
    const begin = Math.max(this.#since ?? at, (this.#slice - slices + 1) * sliceUs);
    return { count, sum, largest, spanUs: Math.max(1, at - begin) };
  }

  #place(at: number): number {
    const slice = Math.floor(at / sliceUs);
    const steps = Math.min(slice - this.#slice, slices);
    for (let i = 0; i < steps; i++) {
      const from = ((slice - i) % slices) * fields;
      this.#held.fill(0, from, from + fields);
    }
    if (steps > 0) this.#slice = slice;
    return (this.#slice % slices) * fields;
  }
}

/** The share of the last minute in which something was going on, and how often something began. */
export class BusyMinute {
  readonly #busy = new LastMinute();
  readonly #begun = new LastMinute();
  readonly #since: number;
  #going = 0;
  #from = 0;

  constructor(at: number) {
    this.#since = at;
  }

  begin(at: number): void {
    this.#begun.add(at, 1);
    if (this.#going++ === 0) this.#from = at;
  }

  end(at: number): void {
    if (--this.#going === 0) this.#settle(at);
  }

  summary(at: number): { readonly percent: number; readonly perSecond: number } {
    if (this.#going > 0) this.#settle(at);
    const busy = this.#busy.summary(at);
    const begun = this.#begun.summary(at);
    const windowUs = Math.max(1, Math.min(at - this.#since, at - (Math.floor(at / sliceUs) - slices + 1) * sliceUs));
    const percent = Math.min(100, ((busy?.sum ?? 0) / windowUs) * 100);
    return { percent, perSecond: ((begun?.count ?? 0) / windowUs) * 1e6 };
  }

  /** Into the slices that it touched; what lies further back than they reach is forgotten anyway. */
  #settle(at: number): void {
    let from = Math.max(this.#from, (Math.floor(at / sliceUs) - slices + 1) * sliceUs);
    while (from < at) {
      const to = Math.min(at, (Math.floor(from / sliceUs) + 1) * sliceUs);
      this.#busy.add(from, to - from);
      from = to;
    }
    this.#from = at;
  }
}
