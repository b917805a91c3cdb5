import { AppError, addRange, holds, type Ranges } from "@penstock/model";
import type { Cancel, Clock, Journal, Log } from "@penstock/runtime";
import { type OutboxState, type Passed, passAll, passedByAll, type StateEntry } from "./cursors.ts";

/** Cursors are written this often at most; what they lose in a crash is offered again and taken for what it is. */
const saveEveryMs = 250;

/** The named cursors: in memory at once, on disk a little later. */
export interface CursorKeeper {
  readonly passed: Passed;
  of(cursor: string): Ranges;
  pass(cursor: string, ranges: Ranges, highest: number): void;
  passAll(from: number, to: number): void;
  arePast(from: number, to: number): boolean;
  /** resolves when the disk has them, or has refused them: then they stay due */
  save(): Promise<void>;
}

export function cursorKeeper(options: {
  readonly initial: Passed;
  readonly journal: Journal<OutboxState, StateEntry>;
  readonly clock: Clock;
  readonly log: Log;
}): CursorKeeper {
  const { journal, clock, log } = options;
  let passed = options.initial;
  let isDirty = false;
  let cancel: Cancel | null = null;

  async function save(): Promise<void> {
    cancel?.();
    cancel = null;
    if (!isDirty) return;
    isDirty = false;
    try {
      await journal.append({ t: "passed", passed });
    } catch (error) {
      // No harm yet: what the cursors lose is offered again. The next acknowledgement tries again.
      isDirty = true;
      log.warn({ error }, "Cannot write the outbox's cursors");
    }
  }

  return {
    get passed() {
      return passed;
    },
    of: (cursor) => passed[cursor] ?? [],
    pass: (cursor, ranges, highest) => {
      const before = passed[cursor];
      if (before === undefined) throw new AppError("internal", `Cannot pass outbox entries: no cursor "${cursor}"`);
      let after = before;
      for (const [from, to] of ranges) {
        const [low, high] = [Math.max(1, from), Math.min(to, highest)];
        if (low <= high && !holds(after, low, high)) after = addRange(after, low, high);
      }
      if (after === before) return;
      passed = { ...passed, [cursor]: after };
      isDirty = true;
      cancel ??= clock.after(saveEveryMs, () => void save());
    },
    passAll: (from, to) => {
      passed = passAll(passed, from, to);
    },
    arePast: (from, to) => passedByAll(passed, from, to),
    save,
  };
}
