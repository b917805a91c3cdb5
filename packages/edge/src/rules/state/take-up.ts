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

  private constructor(of: { kept: Checkpoint | null; turns: ReadonlyMap<string, Turn>; isWhole: boolean; log: Log }) {
    this.#log = of.log;
    this.#reached = of.kept?.position ?? 0;
    this.#kept = new Map(of.kept?.rules.map((one) => [one.rule, one]));
    this.#turns = of.turns;
    this.#isWhole = of.isWhole;
  }

  /** Looks what became of each rule after the checkpoint, and whether inputs are missing. */
  static async after(
    kept: Checkpoint | null,
    { found, isWhole, log }: { readonly found: FoundInputs; readonly isWhole: boolean; readonly log: Log },
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
    return new TakeUp({ kept, turns, isWhole: isWhole && !hasHole, log });
  }

  /** Gives a rule what the checkpoint has of it. @returns the position after which it takes inputs */
  restore(held: Held): number {
    const { rule } = held;
    const saved = this.#kept.get(rule.id);
    const turn = this.#turns.get(rule.id);
    if (turn?.record.t === "end") return Number.POSITIVE_INFINITY;
    const isKept = saved !== undefined && (turn === undefined || turn.record.keeps);
    if (isKept) {
      held.isExact = saved.isExact && this.#isRestored(held, saved.saved);
      rule.numberFrom(saved.number);
      // Of another plan: it sees what that one saw, and what came of it then is not told again.
      held.isSilent = turn !== undefined || saved.key !== rule.key;
    }
    if (!this.#isWhole && (isKept || turn !== undefined)) {
      held.isExact = false;
      rule.numberFrom((saved?.number ?? 0) + numberGap);
    }
    if (isKept) return this.#reached;
    return turn?.record.t === "begin" ? turn.at : Number.POSITIVE_INFINITY;
  }

  /** The rule that runs now began here: from here on its outputs are its own. */
  isOwnBegin(position: number, record: RuleRecord & { readonly t: "begin" }, { rule }: Held): boolean {
    return this.#turns.get(record.rule)?.at === position && record.key === rule.key;
  }

  /** The least number of which nobody has had an output of the rule; null where it never ran. */
  unusedNumber(id: string): number | null {
    const number = this.#kept.get(id)?.number ?? this.#turns.get(id)?.number;
    return number === undefined ? null : number + numberGap;
  }

  /** of rules that the checkpoint has */
  ids(): Iterable<string> {
    return this.#kept.keys();
  }

  #isRestored({ rule }: Held, saved: Uint8Array | null): boolean {
    if (saved === null) return false;
    try {
      rule.restore(decodeSaved(saved));
      return true;
    } catch (error) {
      this.#log.error({ error, rule: rule.id }, "Cannot restore what a rule remembered: it begins anew");
      return false;
    }
  }
}
