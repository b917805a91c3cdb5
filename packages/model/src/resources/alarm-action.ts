import Type, { type Static, type TSchema } from "typebox";
import { severities } from "../alarm.ts";
import { durationSchema, nameSchema } from "./common.ts";

const strict = { additionalProperties: false } as const;
const column = Type.String({ minLength: 1, maxLength: 256, description: "a column of the result" });
const text = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description });
const limit = Type.Union([Type.Number(), Type.Object({ column }, strict)], {
  description: "a number, or a column that has it",
});
const atLeastZero = Type.Number({ minimum: 0 });

/**
 * When a value is reason for an alarm. One of: `above` and `below` (one or both), `outside` of a band around a set point,
 * `rate`, `stuck`, `gap`.
 *
 * @source OPC UA 1.05 Part 9, 5.8.18 (limit), 5.8.20 (deviation), 5.8.21 (rate of change)
 */
export const alarmWhenSchema = Type.Object(
  {
    value: column,
    /** it stands while the value is greater */
    above: Type.Optional(limit),
    /** it stands while the value is less */
    below: Type.Optional(limit),
    /** it stands while the value is further than `by` from `of` */
    outside: Type.Optional(Type.Object({ of: limit, by: limit }, strict)),
    /** it stands while the value has changed by more than this within this time, up or down */
    rate: Type.Optional(Type.Object({ above: limit, within: durationSchema }, strict)),
    /** it stands while the value has not changed by more than this for so long */
    stuck: Type.Optional(Type.Object({ for: durationSchema, by: Type.Optional(atLeastZero) }, strict)),
    /** it stands while no good value has come for so long */
    gap: Type.Optional(Type.Object({ for: durationSchema }, strict)),
    /** how far the value must come back, in its own unit, of above, below and outside */
    hysteresis: Type.Optional(atLeastZero),
  },
  strict,
);
export type AlarmWhen = Static<typeof alarmWhenSchema>;

/** Whom the cloud tells. */
export const alarmNotifySchema = Type.Object(
  {
    webhook: Type.Optional(
      Type.Object(
        {
          url: Type.String({ pattern: "^https?://", maxLength: 2048 }),
          /** signs the body: header `penstock-signature: sha256=<hex>` is its HMAC; kept sealed */
          secret: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
        },
        strict,
      ),
    ),
    email: Type.Optional(
      Type.Object(
        {
          to: Type.Array(Type.String({ pattern: "^[^\\s@<>]+@[^\\s@<>]+$", maxLength: 254 }), {
            minItems: 1,
            maxItems: 20,
          }),
        },
        strict,
      ),
    ),
  },
  { additionalProperties: false, minProperties: 1, maxProperties: 1 },
);
export type AlarmNotify = Static<typeof alarmNotifySchema>;
const notify = Type.Optional(Type.Array(alarmNotifySchema, { maxItems: 16 }));

/**
 * An alarm of a rule.
 *
 * @param act what may be done at the gateway when it is raised or cleared: actions `write` and `call`
 */
export function alarmActionSchema<const T extends TSchema>(act: T) {
  const acts = Type.Optional(Type.Array(act, { maxItems: 8 }));
  return Type.Object(
    {
      /** unique in the rule */
      name: nameSchema,
      /** tells alarms of the name apart, one for each text; left out: the device, else there is only one */
      key: Type.Optional(text(256, "may hold columns, as in the texts of all actions")),
      /** name of the device that it is about */
      device: Type.Optional(text(256, "may hold columns, as in the texts of all actions")),
      severity: Type.Optional(Type.Enum([...severities], { default: "major" })),
      message: text(1024, "may hold columns, as in the texts of all actions"),
      /** it stands while this column is true; left out, without `when` too: while rows come */
      active: Type.Optional(column),
      when: Type.Optional(alarmWhenSchema),
      /** no row for so long: it is over */
      clearAfter: Type.Optional(durationSchema),
      /** so long must its reason last before it is raised, and be gone before it is cleared */
      onDelay: Type.Optional(durationSchema),
      offDelay: Type.Optional(durationSchema),
      /** none: it is over when its reason is */
      acknowledge: Type.Optional(Type.Union([Type.Literal("required"), Type.Literal("none")], { default: "required" })),
      /** done at the gateway, in the turn in which it is raised or cleared, with the cloud or without */
      onRaise: acts,
      onClear: acts,
      /** more raises than this, of all its keys, within this time are one alarm with a count */
      flood: Type.Optional(
        Type.Object({ more: Type.Integer({ minimum: 1, maximum: 1000, default: 20 }), within: durationSchema }, strict),
      ),
      /** by the cloud, when it is raised */
      notify,
      /** while nobody has acknowledged it */
      escalate: Type.Optional(
        Type.Array(
          Type.Object({ after: durationSchema, severity: Type.Optional(Type.Enum([...severities])), notify }, strict),
          { maxItems: 8 },
        ),
      ),
    },
    strict,
  );
}

/** A reason without SQL: about one property of one device. */
const propertyLimit = Type.Union([
  Type.Number(),
  Type.Object({ property: Type.String({ minLength: 1, maxLength: 64 }) }, strict),
]);
export const ruleConditionSchema = Type.Object(
  {
    device: nameSchema,
    property: Type.String({ minLength: 1, maxLength: 64 }),
    above: Type.Optional(propertyLimit),
    below: Type.Optional(propertyLimit),
    outside: Type.Optional(Type.Object({ of: propertyLimit, by: propertyLimit }, strict)),
    rate: Type.Optional(Type.Object({ above: propertyLimit, within: durationSchema }, strict)),
    stuck: Type.Optional(Type.Object({ for: durationSchema, by: Type.Optional(atLeastZero) }, strict)),
    gap: Type.Optional(Type.Object({ for: durationSchema }, strict)),
    hysteresis: Type.Optional(atLeastZero),
  },
  strict,
);
export type RuleCondition = Static<typeof ruleConditionSchema>;
export type ConditionLimit = Static<typeof propertyLimit>;

/** of one rule: what its group alarm is keyed by */
export const floodKey = "*";
export const defaultFlood = { more: 20, within: "1m" } as const;
