import { type EffectiveRule, type ErrorCode, limits, type RuleHealth } from "@penstock/model";
import type { RunningRule } from "./running-rule.ts";

/** How a rule is, as the cloud is told. @param of.refusal  null: it could begin */
export function healthOf({
  spec,
  running,
  refusal,
}: {
  readonly spec: EffectiveRule;
  readonly running: RunningRule | null;
  readonly refusal: { readonly reason: ErrorCode; readonly message: string } | null;
}): RuleHealth {
  const of = { rule: spec.uid, generation: spec.generation };
  const counts = running?.counts ?? { rowsIn: 0, rowsOut: 0, errors: 0, lastError: null };
  const stopped = refusal ?? running?.failure ?? null;
  const reason = stopped?.reason ?? null;
  const message = stopped?.message.slice(0, limits.ruleMessageChars) ?? null;
  const lastError = counts.lastError?.slice(0, limits.ruleMessageChars) ?? null;
  const state = refusal !== null ? "refused" : stopped !== null ? "failed" : running === null ? "stopped" : "running";
  return { ...of, state, reason, message, ...counts, lastError };
}
