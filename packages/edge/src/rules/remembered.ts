import { type Clock, type Metrics, sleep } from "@penstock/runtime";
import type { RuleFeed } from "./rule-feed.ts";
import type { RuleOutput } from "./sinks/sink.ts";
import type { NewInput } from "./state/rule-state.ts";

/** rows that wait; beyond, the oldest go and are counted: a rule may make thousands of one */
const bound = 10_000;
/** rows between two looks at the clock */
const atOnce = 16;
/** of one turn: collecting has its own between */
const sliceMicros = 5000;

/** Rows that rules give to other rules of the gateway, in the order in which they were given. */
export class Remembered {
  readonly #clock: Clock;
  readonly #feed: RuleFeed;
  readonly #dropped: ReturnType<Metrics["counter"]>;
  #waiting: NewInput[] = [];
  #isGiving = false;
  #rest: Promise<void> | null = null;
  /** those who read have something to do first */
  #held: Promise<void> | null = null;

  constructor({ clock, feed, metrics }: { readonly clock: Clock; readonly feed: RuleFeed; readonly metrics: Metrics }) {
    this.#clock = clock;
    this.#feed = feed;
    this.#dropped = metrics.counter(
      "penstock_rules_memory_dropped_rows_total",
      "Rows for other rules that went since these took too long",
    );
  }

  /** @returns where not all could be given at once, resolves when they have been */
  take(stream: string, { rule, number, time, rows }: RuleOutput): void | Promise<void> {
    if (!this.#feed.reads({ stream })) return;
    for (const [row, content] of rows.entries()) {
      const from = { rule, number, row };
      this.#waiting.push({ t: "row", stream, content, meta: { stream, rule }, at: time, from });
    }
    const over = this.#waiting.length - bound;
    if (over > 0) this.#dropped.add(this.#waiting.splice(0, over).length);
    if (this.#isGiving || this.#rest !== null) return this.#rest ?? undefined;
    this.#giveSome();
    if (this.#waiting.length > 0 || this.#held !== null) this.#rest = this.#giveRest();
    return this.#rest ?? undefined;
  }

  #giveSome(): void {
    const until = this.#clock.monotonic() + sliceMicros;
    this.#isGiving = true;
    for (let given = 0; this.#waiting.length > 0 && this.#held === null; given++) {
      if (given % atOnce === 0 && this.#clock.monotonic() > until) break;
      this.#held = this.#feed.take(this.#waiting.shift()!) ?? null;
    }
    this.#isGiving = false;
  }

  async #giveRest(): Promise<void> {
    while (this.#waiting.length > 0 || this.#held !== null) {
      await (this.#held ?? sleep(this.#clock, 0));
      this.#held = null;
      this.#giveSome();
    }
    this.#rest = null;
  }
}
