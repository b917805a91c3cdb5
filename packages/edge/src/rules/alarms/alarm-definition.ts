import {
  type AlarmWhen,
  defaultFlood,
  type EffectiveRule,
  parseDuration,
  type RuleActionOf,
  type RuleUid,
  type Severity,
} from "@penstock/model";
import type { When } from "./when.ts";

export type AlarmAction = RuleActionOf<"alarm">;
/** something that an alarm does to a device */
export type AlarmActionStep = NonNullable<AlarmAction["onRaise"]>[number];

/** An alarm of a rule with its durations in microseconds. */
export interface AlarmDefinition {
  readonly rule: RuleUid;
  readonly ruleName: string;
  readonly name: string;
  readonly key: string;
  readonly device: string | null;
  readonly severity: Severity;
  readonly message: string;
  /** column; null: `when`, or that a row comes at all */
  readonly active: string | null;
  readonly when: When | null;
  readonly clearAfter: number | null;
  readonly onDelay: number;
  readonly offDelay: number;
  readonly isAcknowledgeNeeded: boolean;
  readonly flood: { readonly more: number; readonly within: number };
  readonly escalate: readonly { readonly after: number; readonly severity: Severity | null }[];
  readonly onRaise: readonly AlarmActionStep[];
  readonly onClear: readonly AlarmActionStep[];
}

const micros = (text: string | undefined) => (text === undefined ? 0 : (parseDuration(text) ?? 0) * 1000);

export function definitionsOf(rule: EffectiveRule): AlarmDefinition[] {
  return rule.actions.flatMap(({ alarm }) => (alarm === undefined ? [] : [definitionOf(rule, alarm)]));
}

export function definitionOf(rule: Pick<EffectiveRule, "uid" | "name">, action: AlarmAction): AlarmDefinition {
  const flood = action.flood ?? defaultFlood;
  return {
    ...{ rule: rule.uid, ruleName: rule.name, name: action.name, message: action.message },
    key: action.key ?? action.device ?? "",
    device: action.device ?? null,
    severity: action.severity ?? "major",
    active: action.active ?? null,
    when: action.when === undefined ? null : whenOf(action.when),
    clearAfter: action.clearAfter === undefined ? null : micros(action.clearAfter),
    onDelay: micros(action.onDelay),
    offDelay: micros(action.offDelay),
    isAcknowledgeNeeded: action.acknowledge !== "none",
    flood: { more: flood.more, within: micros(flood.within) },
    escalate: (action.escalate ?? []).map((step) => ({
      ...{ after: micros(step.after), severity: step.severity ?? null },
    })),
    onRaise: action.onRaise ?? [],
    onClear: action.onClear ?? [],
  };
}

function whenOf(when: AlarmWhen): When {
  const { value, above, below, outside, rate, stuck, gap, hysteresis } = when;
  return {
    ...{ value, above: above ?? null, below: below ?? null, outside: outside ?? null, hysteresis: hysteresis ?? 0 },
    rate: rate === undefined ? null : { above: rate.above, within: micros(rate.within) },
    stuck: stuck === undefined ? null : { for: micros(stuck.for), by: stuck.by ?? 0 },
    gap: gap === undefined ? null : { for: micros(gap.for) },
  };
}
