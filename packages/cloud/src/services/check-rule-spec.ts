import {
  AppError,
  checkTopic,
  type FieldError,
  limits,
  lookupKinds,
  type RuleSpec,
  ruleActionKinds,
  shown,
} from "@penstock/model";
import { declaredColumns } from "@penstock/rules";
import { checkAlarms } from "./check-alarm-action.ts";
import { checkLookup } from "./check-rule-lookup.ts";

const placeholder = /\$\{[^}]*\}/g;
const bringers = ["mqtt", "http", "file", "memory", "lookup"] as const;

/** What must hold for a rule whatever its gateways have; what its schema cannot say. */
export function checkRuleSpec(spec: RuleSpec): FieldError[] {
  const { sources = {}, actions } = spec;
  const fields: FieldError[] = checkAlarms(spec);
  for (const [name, source] of Object.entries(sources)) {
    fields.push(...checkColumns(source.columns, `spec.sources.${name}.columns`));
    fields.push(...checkLogin(source.http, `spec.sources.${name}.http`));
    fields.push(...checkLogin(source.mqtt?.broker, `spec.sources.${name}.mqtt.broker`));
    for (const kind of lookupKinds)
      fields.push(...checkLogin(source.lookup?.[kind], `spec.sources.${name}.lookup.${kind}`));
    fields.push(...checkLookup(source, `spec.sources.${name}`));
    const given = bringers.filter((kind) => source[kind] !== undefined);
    if (given.length === 1) continue;
    const rule = `must state one of ${bringers.join(", ")}: what brings its rows`;
    fields.push({ field: `spec.sources.${name}`, value: given.join(", ") || "none", rule });
  }
  for (const [i, action] of actions.entries()) {
    for (const kind of ruleActionKinds) {
      const settings = action[kind];
      if (settings === undefined) continue;
      const at = `spec.actions[${i}].${kind}`;
      fields.push(...checkLogin(settings, at), ...checkLogin(action.mqtt?.broker, `${at}.broker`));
      fields.push(...checkNotices(action.alarm, at));
      if (kind === "mqtt" && action.mqtt !== undefined) {
        // Names that columns stand for are as long as they like; what is asked here is the rest.
        const topic = action.mqtt.topic.replaceAll(placeholder, "x");
        fields.push(...checkTopic(topic, `${at}.topic`).map((one) => ({ ...one, value: shown(action.mqtt!.topic) })));
      }
    }
  }
  return fields.slice(0, limits.fieldsTold);
}

function checkColumns(columns: string | undefined, field: string): FieldError[] {
  try {
    if (columns !== undefined) declaredColumns(columns);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [{ field, value: shown(columns), rule: `must be a list such as "a bigint, b float": ${error.message}` }];
  }
}

function checkNotices(alarm: RuleSpec["actions"][number]["alarm"], at: string): FieldError[] {
  const { notify = [], escalate = [] } = alarm ?? {};
  const checked = (list: typeof notify, where: string) =>
    list.flatMap(({ webhook }, i) => checkLogin(webhook, `${where}.notify[${i}].webhook`));
  return [...checked(notify, at), ...escalate.flatMap((step, i) => checked(step.notify ?? [], `${at}.escalate[${i}]`))];
}

/** Passwords stand in fields of their own, where they are kept sealed. */
function checkLogin(settings: object | undefined, at: string): FieldError[] {
  const url = settings !== undefined && "url" in settings && typeof settings.url === "string" ? settings.url : "";
  if (!/^[a-z]+:\/\/[^/?#]*@/i.test(url)) return [];
  const rule = "must have no user and password: they are kept sealed only in fields of their own";
  return [{ field: `${at}.url`, value: shown(url), rule }];
}

/** Devices that actions name, without those that a column names. */
export function devicesIn({ actions }: Pick<RuleSpec, "actions">): readonly string[] {
  return actions.flatMap(({ series, write, call, alarm }) =>
    [
      ...[series, write, call],
      ...[...(alarm?.onRaise ?? []), ...(alarm?.onClear ?? [])].flatMap((step) => [step.write, step.call]),
    ].flatMap((one) => (one === undefined || one.device.includes("${") ? [] : [one.device])),
  );
}
