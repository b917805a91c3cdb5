import type { RuleUid } from "../ids.ts";
import { parseDuration } from "../time.ts";
import type { EffectiveRule } from "./effective.ts";
import type { RuleSpec } from "./rule.ts";
import { expandRule, withoutNotices } from "./rule-condition.ts";

/** how long a source may be silent until it holds up the others no more, when nobody says */
const defaultIdleAfterMs = 60_000;

/** A rule as gateways run it. */
export function effectiveRule(of: {
  readonly uid: RuleUid;
  readonly name: string;
  readonly generation: number;
  readonly spec: RuleSpec;
}): EffectiveRule {
  const { uid, name, generation } = of;
  const spec = expandRule(of.spec);
  const { sql, mode = "strict", state = "running", eventTime, sources = {}, actions } = spec;
  const { lateTolerance, idleAfter } = eventTime ?? {};
  return {
    ...{ uid, name, generation, sql, mode, sources, actions: withoutNotices(actions), isStopped: state === "stopped" },
    eventTime:
      eventTime === undefined
        ? null
        : {
            lateToleranceMs: lateTolerance === undefined ? 0 : parseDuration(lateTolerance)!,
            idleAfterMs: idleAfter === undefined ? defaultIdleAfterMs : parseDuration(idleAfter)!,
          },
  };
}

/** Whether a rule is for a gateway. */
export function isForNode(
  { nodes }: Pick<RuleSpec, "nodes">,
  node: { readonly name: string; readonly labels: Readonly<Record<string, string>> },
): boolean {
  if ("labels" in nodes) return Object.entries(nodes.labels).every(([label, value]) => node.labels[label] === value);
  return nodes.includes(node.name);
}
