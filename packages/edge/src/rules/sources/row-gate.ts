import type { ObjectValue } from "@penstock/rules";
import type { Cancel, Clock, Metrics } from "@penstock/runtime";
import type { TakeRow } from "./source-parts.ts";

/** rows that wait; beyond, the oldest go and are counted */
const bound = 5_000;
/** of each 10 ms, rules may take up rows of a source for 5: however fast they come, collecting has its turn */
const periodMicros = 10_000;
const shareMicros = 5_000;

interface Waiting {
  readonly content: ObjectValue;
  readonly meta: ObjectValue;
  readonly done: () => void;
}

/** Lets rows through to the rules at once, as long as they leave time for others. */
export class RowGate {
  readonly #clock: Clock;
  readonly #take: TakeRow;
  readonly #rows: ReturnType<Metrics["counter"]>;
  readonly #dropped: ReturnType<Metrics["counter"]>;
  #waiting: Waiting[] = [];
  #cancel: Cancel = () => {};
  /** rows are being let through, or the pause after them has not passed */
  #isBusy = false;
  /** when the present period began, and how much of it was spent; microseconds of the monotonic clock */
  #period = Number.NEGATIVE_INFINITY;
  #spent = 0;
  #isClosed = false;

  constructor(options: {
    readonly clock: Clock;
    readonly metrics: Metrics;
    readonly name: string;
    readonly take: TakeRow;
  }) {
    const { clock, metrics, name, take } = options;
    this.#clock = clock;
    this.#take = take;
    const labels = { source: name };
    this.#rows = metrics.counter("penstock_rules_source_rows_total", "Rows that sources brought", labels);
    this.#dropped = metrics.counter(
      "penstock_rules_source_dropped_rows_total",
      "Rows dropped since rules fell behind",
      labels,
    );
  }

  /** Resolves when all of them are taken, or were dropped for newer ones. */
  async give(rows: readonly ObjectValue[], meta: ObjectValue): Promise<void> {
    if (this.#isClosed || rows.length === 0) return;
    this.#rows.add(rows.length);
    const taken = rows.map((content) => new Promise<void>((done) => void this.#waiting.push({ content, meta, done })));
    const over = this.#waiting.length - bound;
    if (over > 0) {
      this.#dropped.add(over);
      for (const { done } of this.#waiting.splice(0, over)) done();
    }
    if (!this.#isBusy) this.#letThrough();
    await Promise.all(taken);
  }

  #letThrough(): void {
    let now = this.#clock.monotonic();
    this.#isBusy = true;
    while (this.#waiting.length > 0 && this.#mayGoOn(now)) {
      const { content, meta, done } = this.#waiting.shift()!;
      const taking = this.#take(content, meta);
      // The next need not wait for the disk: what takes them keeps their order.
      if (taking === undefined) done();
      else void taking.then(done, done);
      const after = this.#clock.monotonic();
      this.#spent += after - now;
      now = after;
    }
    this.#isBusy = this.#waiting.length > 0;
    if (!this.#isBusy) return;
    const pauseMs = Math.max(1, Math.ceil((this.#period + periodMicros - now) / 1000));
    this.#cancel = this.#clock.after(pauseMs, () => this.#letThrough());
  }

  #mayGoOn(now: number): boolean {
    if (now - this.#period >= periodMicros) [this.#period, this.#spent] = [now, 0];
    return this.#spent < shareMicros;
  }

  /** What waits is dropped; whoever gave it is not told that it was taken. */
  close(): void {
    this.#isClosed = true;
    this.#cancel();
    this.#dropped.add(this.#waiting.length);
    this.#waiting = [];
  }
}
