import type { Micros } from "@penstock/model";
import type { Cancel, Clock } from "@penstock/runtime";
import { Readers } from "./readers.ts";
import type { NewInput, RuleState, StatefulRule } from "./state/rule-state.ts";

/** What rules are fed by: at once, or from what is kept over restarts. */
export type RuleFeed = Omit<RuleState, "begin" | "status" | "isExact"> & {
  begin(rule: FedRule): void;
  /** what people should know of what a rule remembers; null: nothing */
  told(id: string): string | null;
};
/** What rules are fed with and how, whether they have state or not. */
export interface FedRule extends StatefulRule {
  /** what it gives depends on more than one input */
  readonly hasState: boolean;
}

/** Feeds rules at once and keeps nothing: what they remember ends with the process. */
export function directFeed(clock: Clock): RuleFeed {
  const rules = new Readers<FedRule>((rule) => rule);
  const timers = new Map<string, Cancel>();
  const ready = Promise.resolve();

  /** Windows close when their time has come, though nothing comes. */
  const arm = (rule: FedRule) => {
    timers.get(rule.id)?.();
    timers.delete(rule.id);
    const due = rule.due();
    if (due === null) return;
    const delayMs = Math.max(0, Math.ceil((due - clock.now()) / 1000));
    const cancel = clock.after(delayMs, () => {
      rule.take({ t: "tick", now: clock.now() });
      arm(rule);
    });
    timers.set(rule.id, cancel);
  };
  const drop = (id: string) => {
    timers.get(id)?.();
    timers.delete(id);
    rules.delete(id);
  };
  return {
    begin(rule) {
      drop(rule.id);
      rules.set(rule.id, rule);
    },
    end: drop,
    told: () => null,
    // Nothing was kept.
    replay: () => ready,
    reads: (input) => rules.reads(input),
    take(input: NewInput) {
      const now = clock.now();
      if (input.t === "batch") {
        for (const rule of rules.ofDevice(input.batch.layout.device)) {
          rule.take({ t: "batch", now, batch: input.batch });
          arm(rule);
        }
        return;
      }
      const { stream, content, meta } = input;
      for (const rule of rules.ofStream(stream)) {
        rule.take({ t: "row", now, stream, content, meta, at: input.at ?? (now as Micros) });
        arm(rule);
      }
    },
    emit(deliver) {
      void deliver();
    },
    async close() {
      for (const cancel of timers.values()) cancel();
      timers.clear();
    },
  };
}
