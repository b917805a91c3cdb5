import { type Cancel, type Clock, type Metrics, sleep } from "@penstock/runtime";
import { Readers } from "./readers.ts";
import type { NewInput, RuleInput, RuleState, StatefulRule } from "./state/rule-state.ts";

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

/** of one turn: collecting has its own between */
const sliceMicros = 10_000;
/** that wait while rules take their turns; beyond, the oldest go and are counted */
const inputsMost = 1024;

/**
 * Feeds rules at once and keeps nothing: what they remember ends with the process. However many rules there are, they give
 * way to others after 10 ms; whoever feeds is told to wait meanwhile.
 */
export function directFeed({ clock, metrics }: { readonly clock: Clock; readonly metrics: Metrics }): RuleFeed {
  const rules = new Readers<FedRule>((rule) => rule);
  const timers = new Map<string, Cancel>();
  const ready = Promise.resolve();
  /** what rules have to do, input by input; one that a rule gives while it works goes before them */
  const waiting: (() => void)[][] = [];
  const dropped = metrics.counter(
    "penstock_rules_dropped_inputs_total",
    "Inputs of rules without state that went since the rules took too long",
  );
  let going: Promise<void> | null = null;
  let isTaking = false;

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
  /** what each rule that reads it has to do, in their order */
  const givesOf = (input: NewInput): (() => void)[] => {
    const now = clock.now();
    const isBatch = input.t === "batch";
    const readers = isBatch ? rules.ofDevice(input.batch.layout.device) : rules.ofStream(input.stream);
    const made: RuleInput = isBatch
      ? { t: "batch", now, batch: input.batch }
      : { t: "row", now, stream: input.stream, content: input.content, meta: input.meta, at: input.at ?? now };
    return readers.map((rule) => () => {
      if (rules.get(rule.id) !== rule) return;
      rule.take(made);
      arm(rule);
    });
  };
  /** What fits one turn. */
  const giveSome = () => {
    const began = clock.monotonic();
    const mayGoOn = () => clock.monotonic() - began <= sliceMicros;
    isTaking = true;
    for (let gives = waiting[0]; gives !== undefined && mayGoOn(); gives = waiting[0]) {
      let at = 0;
      while (at < gives.length && mayGoOn()) gives[at++]!();
      if (at < gives.length) gives.splice(0, at);
      else waiting.shift();
    }
    isTaking = false;
  };
  const giveRest = async () => {
    while (waiting.length > 0) {
      await sleep(clock, 0);
      giveSome();
    }
    going = null;
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
      if (isTaking) {
        for (const give of givesOf(input)) give();
        return;
      }
      if (waiting.push(givesOf(input)) > inputsMost) {
        waiting.shift();
        dropped.add();
      }
      if (going !== null) return going;
      giveSome();
      if (waiting.length === 0) return;
      going = giveRest();
      return going;
    },
    emit(deliver) {
      void deliver();
    },
    async close() {
      waiting.length = 0;
      await going;
      for (const cancel of timers.values()) cancel();
      timers.clear();
    },
  };
}
