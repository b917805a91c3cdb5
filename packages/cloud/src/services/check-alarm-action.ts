import {
  type AlarmWhen,
  type FieldError,
  parseDuration,
  type RuleActionOf,
  type RuleSpec,
  shown,
} from "@penstock/model";

const reasons = ["above", "below", "outside", "rate", "stuck", "gap"] as const;

/** What must hold for the alarms of a rule whatever its gateways have; what the schema cannot say. */
export function checkAlarms({ sql, condition, actions }: RuleSpec): FieldError[] {
  const fields: FieldError[] = [];
  if ((sql === undefined) === (condition === undefined)) {
    const value = sql === undefined ? "neither" : "both";
    fields.push({ field: "spec", value, rule: "must state one of sql and condition" });
  }
  if (condition !== undefined) {
    fields.push(...checkReason(condition, "spec.condition"));
    if (!actions.some(({ alarm }) => alarm !== undefined))
      fields.push({
        field: "spec.actions",
        value: "none",
        rule: "must have an alarm, which is what a condition is for",
      });
  }
  const names = new Set<string>();
  for (const [i, { alarm }] of actions.entries()) {
    if (alarm === undefined) continue;
    const at = `spec.actions[${i}].alarm`;
    if (names.has(alarm.name))
      fields.push({ field: `${at}.name`, value: shown(alarm.name), rule: "must be unique in the rule" });
    names.add(alarm.name);
    fields.push(...checkAlarm(alarm, at, condition !== undefined));
  }
  return fields;
}

function checkAlarm(alarm: RuleActionOf<"alarm">, at: string, hasCondition: boolean): FieldError[] {
  const { active, when, clearAfter, escalate = [] } = alarm;
  const fields: FieldError[] = when === undefined ? [] : checkReason(when, `${at}.when`);
  if (active !== undefined && when !== undefined)
    fields.push({ field: at, value: "active and when", rule: "must state one of active and when" });
  if (active === undefined && when === undefined && clearAfter === undefined && !hasCondition)
    fields.push({
      ...{ field: at, value: "none" },
      rule: "must state active, when or clearAfter: by which of them it is over again",
    });
  let last = -1;
  for (const [i, { after }] of escalate.entries()) {
    const ms = parseDuration(after) ?? 0;
    if (ms <= last)
      fields.push({ field: `${at}.escalate[${i}].after`, value: after, rule: "must be later than the step before" });
    last = ms;
  }
  return fields;
}

function checkReason(
  when: Partial<Omit<AlarmWhen, "value">> | NonNullable<RuleSpec["condition"]>,
  at: string,
): FieldError[] {
  const given = reasons.filter((reason) => when[reason] !== undefined);
  const isBand = given.every((reason) => reason === "above" || reason === "below");
  if (given.length === 1 || (given.length === 2 && isBand)) return [];
  const rule = "must state one of above, below, outside, rate, stuck, gap, or above and below together";
  return [{ field: at, value: given.join(", ") || "none", rule }];
}

/** Columns that an alarm names and the result does not have. @param columns  of the result; null: not known before there is one */
export function checkAlarmColumns(
  { active, when }: RuleActionOf<"alarm">,
  at: string,
  columns: readonly string[] | null,
): FieldError[] {
  if (columns === null) return [];
  const limits = [when?.above, when?.below, when?.outside?.of, when?.outside?.by, when?.rate?.above];
  const named = [active, when?.value, ...limits.map((limit) => (typeof limit === "object" ? limit.column : undefined))];
  return named
    .filter((name) => name !== undefined)
    .filter((name) => !columns.includes(name))
    .map((name) => ({
      field: at,
      value: shown(name),
      rule: `must be a column of the result: there are ${columns.join(", ")}`,
    }));
}
