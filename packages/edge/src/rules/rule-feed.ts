import type { DeviceUid, Micros } from "@penstock/model";
import type { Cancel, Clock } from "@penstock/runtime";
import type { NewInput, RuleState, StatefulRule } from "./state/rule-state.ts";

/** What rules are fed by: at once, or from what is kept over restarts. */
export type RuleFeed = Omit<RuleState, "begin" | "status"> & { begin(rule: FedRule): void };
/** What rules are fed with and how, whether they have state or not. */
export interface FedRule extends StatefulRule {
  /** what it gives depends on more than one input */
  readonly hasState: boolean;
}

/** Feeds rules at once and keeps nothing: what they remember ends with the process. */
export function directFeed(clock: Clock): RuleFeed {
  const rules = new Map<string, FedRule>();
  const timers = new Map<string, Cancel>();
  let byDevice: ReadonlyMap<DeviceUid, readonly FedRule[]> = new Map();
  let byStream: ReadonlyMap<string, readonly FedRule[]> = new Map();
  const ready = Promise.resolve();

  const index = () => {
    byDevice = groupedBy(rules.values(), ({ devices }) => devices);
    byStream = groupedBy(rules.values(), ({ streams }) => streams);
  };
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
      index();
    },
    end(id) {
      drop(id);
      index();
    },
    // Nothing was kept.
    replay: () => ready,
    reads: (input) => ("device" in input ? byDevice.has(input.device) : byStream.has(input.stream)),
    take(input: NewInput) {
      const now = clock.now();
      if (input.t === "batch") {
        for (const rule of byDevice.get(input.batch.layout.device) ?? []) {
          rule.take({ t: "batch", now, batch: input.batch });
          arm(rule);
        }
        return;
      }
      const { stream, content, meta } = input;
      for (const rule of byStream.get(stream) ?? []) {
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

function groupedBy<Key>(
  rules: Iterable<FedRule>,
  keysOf: (rule: FedRule) => readonly Key[],
): ReadonlyMap<Key, readonly FedRule[]> {
  const groups = new Map<Key, FedRule[]>();
  for (const rule of rules) {
    for (const key of new Set(keysOf(rule))) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [rule]);
      else group.push(rule);
    }
  }
  return groups;
}
