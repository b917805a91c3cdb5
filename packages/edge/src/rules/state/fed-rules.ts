import type { DeviceUid } from "@penstock/model";
import type { Log } from "@penstock/runtime";
import { Readers } from "../readers.ts";
import type { Deliver, Ledger, Waiting } from "./ledger.ts";
import type { RuleInput, StatefulRule } from "./rule-state.ts";

export interface Held {
  readonly rule: StatefulRule;
  /** false: its state does not come of every input */
  isExact: boolean;
  /** its outputs went out before, or were another plan's */
  isSilent: boolean;
}

/** The rules that have state, by what they read; gives them inputs, and their outputs to sinks when these may go. */
export class FedRules {
  readonly #ledger: Ledger;
  readonly #log: Log;
  /** called when sinks have taken an output */
  readonly #onTaken: () => void;
  readonly #rules = new Readers<Held>(({ rule }) => rule);
  #feeding: Held | null = null;
  /** outputs that may go, once all rules have had their input */
  #ready: Waiting[] = [];

  constructor(options: { readonly ledger: Ledger; readonly log: Log; readonly onTaken: () => void }) {
    this.#ledger = options.ledger;
    this.#log = options.log;
    this.#onTaken = options.onTaken;
  }

  all(): Iterable<Held> {
    return this.#rules.values();
  }

  get(id: string): Held | undefined {
    return this.#rules.get(id);
  }

  set(held: Held): void {
    this.#rules.set(held.rule.id, held);
  }

  delete(id: string): boolean {
    return this.#rules.delete(id);
  }

  reads(input: { readonly device: DeviceUid } | { readonly stream: string }): boolean {
    return this.#rules.reads(input);
  }

  readersOf(input: RuleInput): readonly Held[] {
    switch (input.t) {
      case "batch":
        return this.#rules.ofDevice(input.batch.layout.device);
      case "row":
        return this.#rules.ofStream(input.stream);
      case "tick":
        return [...this.#rules.values()].filter(({ rule }) => (rule.due() ?? Number.POSITIVE_INFINITY) <= input.now);
    }
  }

  get isFeeding(): boolean {
    return this.#feeding !== null;
  }

  /** What is given goes with `send`, when all have had the input. */
  feed(held: Held, input: RuleInput, how: { readonly isAgain: boolean } = { isAgain: false }): void {
    this.#feeding = held;
    try {
      held.rule.take(input, how);
    } catch (error) {
      this.#log.error({ error, rule: held.rule.id }, "A rule broke at an input");
    }
    this.#feeding = null;
  }

  emit(deliver: Deliver): void {
    if (this.#feeding === null) {
      void deliver();
      return;
    }
    if (this.#feeding.isSilent) return;
    const waiting = this.#ledger.given(deliver);
    if (waiting !== null) this.#ready.push(waiting);
  }

  /** @param more outputs whose inputs have come to the disk */
  send(more: readonly Waiting[] = []): void {
    this.#ready.push(...more);
    if (this.#feeding !== null) return;
    for (const { position, deliver } of this.#ready.splice(0)) {
      void deliver().then(() => {
        this.#ledger.resolved(position);
        this.#onTaken();
      });
    }
  }
}
