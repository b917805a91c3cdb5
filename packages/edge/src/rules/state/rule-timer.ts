import type { Cancel, Clock } from "@penstock/runtime";
import type { Held } from "./fed-rules.ts";

/** One timer for all rules: for the first moment at which any of them has something to do by time alone. */
export class RuleTimer {
  readonly #clock: Clock;
  readonly #run: () => void;
  #set: { readonly due: number; readonly cancel: Cancel } | null = null;
  #isClosed = false;

  constructor(options: { readonly clock: Clock; readonly run: () => void }) {
    this.#clock = options.clock;
    this.#run = options.run;
  }

  /** @param rules whose moment may have become another */
  arm(rules: Iterable<Held>): void {
    let first = this.#set?.due ?? Number.POSITIVE_INFINITY;
    for (const { rule } of rules) first = Math.min(first, rule.due() ?? Number.POSITIVE_INFINITY);
    if (this.#isClosed || first === (this.#set?.due ?? Number.POSITIVE_INFINITY)) return;
    this.#set?.cancel();
    // Not at once: a rule that does not give way must not take all the time there is.
    const delayMs = Math.max(1, Math.ceil((first - this.#clock.now()) / 1000));
    const cancel = this.#clock.after(delayMs, () => {
      this.#set = null;
      this.#run();
    });
    this.#set = { due: first, cancel };
  }

  close(): void {
    this.#isClosed = true;
    this.#set?.cancel();
  }
}
