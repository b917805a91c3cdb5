import { decodeSaved } from "@penstock/rules";
import type { Log } from "@penstock/runtime";
import type { Checkpoint, RuleCheckpoint } from "./checkpoint.ts";
import type { Held } from "./fed-rules.ts";
import type { FoundInputs } from "./input-journal.ts";
import type { RuleRecord } from "./input-record.ts";

/** Beyond what a rule can have given since the last checkpoint: no number is used again for another output. */
export const numberGap = 2 ** 32;

interface Turn {
  readonly at: number;
  readonly record: RuleRecord;
  /** that its outputs went on from when it last began */
  readonly number: number;
}

/** From where each rule goes on after a restart, and with which numbers. */
export class TakeUp {
  readonly #log: Log;
  readonly #reached: number;
  readonly #kept: ReadonlyMap<string, RuleCheckpoint>;
  readonly #turns: ReadonlyMap<string, Turn>;
  /** false: inputs are missing that rules have seen */
  readonly #isWhole: boolean;

  readonly #now: number;

  private constructor(of: {
    readonly kept: Checkpoint | null;
    readonly turns: ReadonlyMap<string, Turn>;
    readonly isWhole: boolean;
    readonly log: Log;
    readonly now: number;
  }) {
    this.#now = of.now;
    this.#log = of.log;
    this.#reached = of.kept?.position ?? 0;
    this.#kept = new Map(of.kept?.rules.map((one) => [one.rule, one]));
    this.#turns = of.turns;
    this.#isWhole = of.isWhole;
  }

  /** Looks what became of each rule after the checkpoint, and whether inputs are missing. */
  static async after(
    kept: Checkpoint | null,
    {
      found,
      isWhole,
      log,
      now,
    }: { readonly found: FoundInputs; readonly isWhole: boolean; readonly log: Log; readonly now: number },
  ): Promise<TakeUp> {
    const turns = new Map<string, Turn>();
    let hasHole = false;
    await found.read(kept?.position ?? 0, (at, record) => {
      if (record === null) hasHole = true;
      else if (record.t === "begin" || record.t === "end") {
        const number = record.t === "begin" ? record.number : (turns.get(record.rule)?.number ?? 0);
        turns.set(record.rule, { at, record, number });
      }
    });
    return new TakeUp({ kept, turns, isWhole: isWhole && !hasHole, log, now });
  }

  /** Gives a rule what is kept of it. @returns the position after which it takes inputs */
  restore(held: Held): number {
    const { rule } = held;
    const saved = this.#kept.get(rule.id);
    const turn = this.#turns.get(rule.id);
    if (!this.#isWhole) held.isExact = false;
    if (turn?.record.t === "end") return Number.POSITIVE_INFINITY;
    if (turn?.record.t === "begin") {
      const { key, number, state } = turn.record;
      if (state !== null) this.#restore(held, state);
      this.#goOn(held, { key, number });
      return turn.at;
    }
    if (saved === undefined) return Number.POSITIVE_INFINITY;
    if (!saved.isExact || saved.saved === null) held.isExact = false;
    held.isResting = saved.isStopped;
    if (saved.saved !== null) this.#restore(held, saved.saved);
    this.#goOn(held, saved);
    return this.#reached;
  }

  /** Of another plan: it sees what that one saw, and what comes of it is not told. */
  #goOn(held: Held, { key, number }: { readonly key: string; readonly number: number }): void {
    held.isSilent = key !== held.rule.key;
    held.rule.numberFrom(this.#isWhole ? number : number + numberGap);
  }

  /** @returns a number from which on nobody has had an output of the rule; 0 where it never ran */
  unusedNumber(id: string): number {
    const number = this.#turns.get(id)?.number ?? this.#kept.get(id)?.number;
    if (number !== undefined) return number + numberGap;
    // What began it may be among what is missing: more than a number a microsecond it has not given.
    return this.#isWhole ? 0 : this.#now;
  }

  /** of rules that the checkpoint has */
  ids(): Iterable<string> {
    return this.#kept.keys();
  }

  #restore(held: Held, saved: Uint8Array): void {
    try {
      held.rule.restore(decodeSaved(saved));
    } catch (error) {
      held.isExact = false;
      this.#log.error({ error, rule: held.rule.id }, "Cannot restore what a rule remembered: it begins anew");
    }
  }
}
