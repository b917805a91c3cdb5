import type { ObjectValue } from "@penstock/rules";
import type { Cancel, Clock, Metrics } from "@penstock/runtime";
import type { TakeRow } from "./source-parts.ts";

/** rows that wait; beyond, the oldest go and are counted */
const bound = 5_000;
/** together 5,000 rows a second: what rules make of a flood must leave room for collecting */
const rowsEachTurn = 50;
const turnMs = 10;

interface Waiting {
  readonly content: ObjectValue;
  readonly meta: ObjectValue;
  readonly done: () => void;
}

/** Lets rows through to the rules a few at a time. */
export class RowGate {
  readonly #clock: Clock;
  readonly #take: TakeRow;
  readonly #rows: ReturnType<Metrics["counter"]>;
  readonly #dropped: ReturnType<Metrics["counter"]>;
  #waiting: Waiting[] = [];
  #cancel: Cancel = () => {};
  /** a turn is under way, or its pause */
  #isBusy = false;
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
    if (!this.#isBusy) void this.#turn();
    await Promise.all(taken);
  }

  async #turn(): Promise<void> {
    this.#isBusy = true;
    for (const { content, meta, done } of this.#waiting.splice(0, rowsEachTurn)) {
      const taking = this.#take(content, meta);
      // The next need not wait for the disk: what takes them keeps their order.
      if (taking === undefined) done();
      else void taking.then(done, done);
    }
    this.#cancel = this.#clock.after(turnMs, () => {
      this.#isBusy = false;
      if (this.#waiting.length > 0) void this.#turn();
    });
  }

  /** What waits is dropped; whoever gave it is not told that it was taken. */
  close(): void {
    this.#isClosed = true;
    this.#cancel();
    this.#dropped.add(this.#waiting.length);
    this.#waiting = [];
  }
}
