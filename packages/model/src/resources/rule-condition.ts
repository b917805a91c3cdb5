import type { AlarmWhen, ConditionLimit, RuleCondition } from "./alarm-action.ts";
import type { RuleActionSpec, RuleSpec } from "./rule.ts";

/** A rule that has its SQL, whoever wrote it. */
export type SqlRuleSpec = RuleSpec & { readonly sql: string };

/**
 * A rule as it runs: a condition becomes SQL over its device, and the `when`, device and key of those of its alarms that
 * state none themselves.
 *
 * @param spec  has one of `sql` and `condition`
 * @example { condition: { device: "oven", property: "t", above: { property: "limit" } } }
 *   // sql: SELECT `t`, `limit` FROM `oven`; when: { value: "t", above: { column: "limit" } }
 */
export function expandRule(spec: RuleSpec): SqlRuleSpec {
  const { condition, ...rest } = spec;
  if (condition === undefined) return { ...rest, sql: spec.sql ?? "" };
  const { device } = condition;
  const actions = spec.actions.map((action): RuleActionSpec => {
    const { alarm } = action;
    if (alarm === undefined) return action;
    const when = alarm.active === undefined ? { when: whenOf(condition) } : {};
    return { alarm: { ...when, device, key: alarm.device ?? device, ...alarm } };
  });
  const columns = [...new Set([condition.property, ...limitsOf(condition)])];
  return { ...rest, mode: "strict", sql: `SELECT ${columns.map(quoted).join(", ")} FROM ${quoted(device)}`, actions };
}

/** Whom the cloud tells is no business of gateways, nor are the secrets for it. */
export function withoutNotices(actions: readonly RuleActionSpec[]): RuleActionSpec[] {
  return actions.map((action) => {
    if (action.alarm === undefined) return action;
    const { notify: _, escalate, ...alarm } = action.alarm;
    const steps = escalate?.map(({ notify: _, ...step }) => step);
    return { alarm: { ...alarm, ...(steps !== undefined && { escalate: steps }) } };
  });
}

function whenOf({ device: _, property, above, below, outside, rate, ...rest }: RuleCondition): AlarmWhen {
  return {
    ...{ value: property, ...rest },
    ...(above !== undefined && { above: columnOf(above) }),
    ...(below !== undefined && { below: columnOf(below) }),
    ...(outside !== undefined && { outside: { of: columnOf(outside.of), by: columnOf(outside.by) } }),
    ...(rate !== undefined && { rate: { ...rate, above: columnOf(rate.above) } }),
  };
}

function limitsOf({ above, below, outside, rate }: RuleCondition): string[] {
  const limits = [above, below, outside?.of, outside?.by, rate?.above];
  return limits.flatMap((limit) => (typeof limit === "object" ? [limit.property] : []));
}

function columnOf(limit: ConditionLimit): number | { column: string } {
  return typeof limit === "number" ? limit : { column: limit.property };
}

function quoted(name: string): string {
  return `\`${name}\``;
}
