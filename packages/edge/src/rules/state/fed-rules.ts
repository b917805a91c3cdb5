import type { DeviceUid } from "@penstock/model";
import type { Log } from "@penstock/runtime";
import { Readers } from "../readers.ts";
import type { Deliver, Ledger, Waiting } from "./ledger.ts";
import type { GivenOutput, RuleInput, StatefulRule } from "./rule-state.ts";

export interface Held {
  readonly rule: StatefulRule;
  /** false: its state does not come of every input */
  isExact: boolean;
  /** its outputs went out before, or were another plan's */
  isSilent: boolean;
  /** it had stopped by itself before the restart, and does not see what it did not see then */
  isResting: boolean;
}

/** The rules that have state, by what they read; gives them inputs, and their outputs to sinks when these may go. */
export class FedRules {
  readonly #ledger: Ledger;
  readonly #log: Log;
  /** called when sinks have taken an output */
  readonly #onTaken: () => void;
  readonly #rules = new Readers<Held>(({ rule }) => rule);
  #feeding: { readonly rule: string; readonly position: number; readonly isSilent: boolean } | null = null;
  /** outputs that may go, once all rules have had their input */
  #ready: Waiting[] = [];
  /** that no sink has taken, by rule, in order */
  readonly #underway = new Map<string, Set<Waiting>>();

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
  feed(
    { rule, isSilent }: Held,
    input: RuleInput,
    how: { readonly position: number; readonly isAgain: boolean },
  ): void {
    this.#feeding = { rule: rule.id, position: how.position, isSilent };
    try {
      rule.take(input, { isAgain: how.isAgain });
    } catch (error) {
      this.#log.error({ error, rule: rule.id }, "A rule broke at an input");
    }
    this.#feeding = null;
  }

  /** What the rule gave in whose place this one came, at the position at which it came. */
  giveAgain({ rule }: Held, outputs: readonly GivenOutput[], position: number): void {
    this.#feeding = { rule: rule.id, position, isSilent: false };
    for (const output of outputs) rule.giveAgain(output);
    this.#feeding = null;
    this.send();
  }

  emit(deliver: Deliver, output: GivenOutput | null): void {
    if (this.#feeding === null) {
      void deliver();
      return;
    }
    const { rule, position, isSilent } = this.#feeding;
    if (isSilent) return;
    const one = { position, rule, deliver, output };
    this.#underwayOf(rule).add(one);
    if (this.#ledger.given(one)) this.#ready.push(one);
  }

  #underwayOf(rule: string): Set<Waiting> {
    const known = this.#underway.get(rule);
    if (known !== undefined) return known;
    const made = new Set<Waiting>();
    this.#underway.set(rule, made);
    return made;
  }

  /** Outputs of a rule, or of rules with its id before it, that no sink has taken. */
  untaken(id: string): readonly GivenOutput[] {
    return [...(this.#underway.get(id) ?? [])].flatMap(({ output }) => (output === null ? [] : [output]));
  }

  /** @param more outputs whose inputs have come to the disk */
  send(more: readonly Waiting[] = []): void {
    this.#ready.push(...more);
    if (this.#feeding !== null) return;
    for (const one of this.#ready.splice(0)) {
      void one.deliver().then(() => {
        const left = this.#underway.get(one.rule);
        left?.delete(one);
        if (left?.size === 0) this.#underway.delete(one.rule);
        this.#ledger.resolved(one.position);
        this.#onTaken();
      });
    }
  }
}
