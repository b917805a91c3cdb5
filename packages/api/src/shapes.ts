import {
  accesses,
  alarmActKinds,
  alarmStates,
  alarmTransitionKinds,
  apiVersion,
  callStates,
  desiredStates,
  durationSchema,
  type ErrorCode,
  type Kind,
  labelsSchema,
  limits,
  metadataInput,
  nameSchema,
  qualities,
  severities,
  valueTypes,
} from "@penstock/model";
import Type, { type TSchema } from "typebox";

/** Shapes that more than one resource uses. Times are RFC 3339 in UTC with microseconds. */
const timeFormat = "RFC 3339, UTC, microseconds";
export const timeSchema = Type.String({ description: timeFormat });
const timeOf = (what: string) => Type.String({ description: `${what}; ${timeFormat}` });
export const nullable = <const T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const closed = { additionalProperties: false } as const;

/** int64 and uint64 as decimal strings, bytes as base64, json as it is; null with quality bad. */
export const valueSchema = Type.Unknown({
  description: "the value in JSON: 64-bit integers as decimal strings, bytes as base64, NaN and infinities as null",
});
const errorCodeSchema = Type.String({ description: "a code of the error table" });

const metadataOutput = Type.Object({
  tenant: Type.Optional(nameSchema),
  name: nameSchema,
  displayName: Type.Optional(Type.String()),
  labels: labelsSchema,
  uid: Type.String(),
  generation: Type.Integer(),
  resourceVersion: Type.String(),
  createdAt: timeSchema,
  updatedAt: timeSchema,
});

/** What people send: the server fills the rest of metadata; a status is accepted and ignored. */
export const resourceInput = <const K extends Kind, const S extends TSchema>(kind: K, spec: S) =>
  Type.Object(
    {
      apiVersion: Type.Optional(Type.Literal(apiVersion)),
      kind: Type.Optional(Type.Literal(kind)),
      metadata: metadataInput,
      spec,
      status: Type.Optional(Type.Unknown()),
    },
    closed,
  );

export const resourceOutput = <const K extends Kind, const S extends TSchema, const U extends TSchema>(
  kind: K,
  spec: S,
  status: U,
) =>
  Type.Object({
    apiVersion: Type.Literal(apiVersion),
    kind: Type.Literal(kind),
    metadata: metadataOutput,
    spec,
    status,
  });

/** RFC 7396: null removes a field. */
export const mergePatch = Type.Record(Type.String(), Type.Unknown(), { description: "JSON merge patch, RFC 7396" });

export const listQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.listPage, default: 100 })),
    cursor: Type.Optional(Type.String({ maxLength: 512, description: "from the answer before" })),
    labels: Type.Optional(
      Type.String({ maxLength: 1024, description: "label selector: line=filling,cell!=3,owner (has the label)" }),
    ),
  },
  closed,
);
export const page = <const T extends TSchema>(items: T) =>
  Type.Object({
    items: Type.Array(items),
    cursor: nullable(Type.String({ description: "give it to the next request; null at the end" })),
  });

export const readingSchema = Type.Object({
  device: nameSchema,
  property: Type.String(),
  type: Type.Enum([...valueTypes]),
  time: timeSchema,
  value: valueSchema,
  quality: Type.Enum([...qualities]),
  reason: nullable(errorCodeSchema),
});

export const desiredSchema = Type.Object({
  device: nameSchema,
  property: Type.String(),
  type: Type.Enum([...valueTypes]),
  value: valueSchema,
  version: Type.Integer({ description: "the higher version wins" }),
  state: Type.Enum([...desiredStates]),
  reason: nullable(errorCodeSchema),
  message: nullable(Type.String()),
  readBack: valueSchema,
  setBy: Type.String(),
  setAt: timeSchema,
  sentAt: nullable(timeOf("when the gateway had it on disk, by the cloud's clock")),
  writtenAt: nullable(timeOf("when the device had taken it, by the gateway's clock")),
  endedAt: nullable(
    timeOf("when it was confirmed, failed or expired, by the clock of gateway or cloud, whichever ended it"),
  ),
  updatedAt: timeSchema,
  expiresAt: timeSchema,
});

export const twinPropertySchema = Type.Object({
  property: Type.String(),
  type: Type.Enum([...valueTypes]),
  unit: nullable(Type.String()),
  displayName: nullable(Type.String()),
  access: Type.Enum([...accesses]),
  minimum: nullable(Type.String()),
  maximum: nullable(Type.String()),
  collect: nullable(
    Type.String({ description: 'when it is read: "every 1s"; as in the cycles of the device\'s status' }),
  ),
  report: nullable(
    Type.String({ description: 'what of it goes to the cloud: "on change by 0.5, at least every 10m"' }),
  ),
  reported: nullable(readingSchema),
  desired: nullable(desiredSchema),
  hold: nullable(
    Type.Object(
      {
        holder: Type.String({ description: "who set it, in their own words" }),
        type: Type.Enum([...valueTypes]),
        value: valueSchema,
        since: timeSchema,
        until: nullable(timeOf("null = until it is released")),
      },
      { description: "a value set at the gateway holds the property; desired values wait" },
    ),
  ),
});

export const twinMethodSchema = Type.Object({
  method: Type.String(),
  displayName: nullable(Type.String()),
  arguments: Type.Array(
    Type.Object({
      name: Type.String(),
      type: Type.Enum([...valueTypes]),
      unit: nullable(Type.String()),
      minimum: nullable(Type.String()),
      maximum: nullable(Type.String()),
      isOptional: Type.Boolean(),
    }),
  ),
  resultType: nullable(Type.Enum([...valueTypes])),
  resultUnit: nullable(Type.String()),
  timeoutMs: Type.Integer(),
  sets: Type.Array(Type.String(), {
    description: "properties that it sets, in this order; [] when the mapper knows how",
  }),
});

export const callSchema = Type.Object({
  id: Type.String(),
  device: nameSchema,
  method: Type.String(),
  arguments: Type.Record(Type.String(), valueSchema),
  state: Type.Enum([...callStates], {
    description: "failed and expired: the device has not acted, or said no; unknown: nobody can tell",
  }),
  reason: nullable(errorCodeSchema),
  message: nullable(Type.String()),
  resultType: nullable(Type.Enum([...valueTypes])),
  result: valueSchema,
  steps: Type.Array(
    Type.Object({
      property: Type.String(),
      state: Type.Enum(["written", "failed", "unknown", "not tried"]),
      reason: nullable(errorCodeSchema),
      message: nullable(Type.String()),
    }),
    { description: "of a method that sets properties, in their order" },
  ),
  calledBy: Type.String(),
  calledAt: timeSchema,
  sentAt: nullable(timeOf("when the gateway had it on disk, by the cloud's clock")),
  endedAt: nullable(timeOf("by the clock of gateway or cloud, whichever ended it")),
  expiresAt: timeSchema,
});

export const alarmSchema = Type.Object({
  id: Type.String(),
  source: Type.Enum(["system", "rule"], { description: "rule: raised by a rule at its gateway" }),
  node: nullable(nameSchema),
  device: nullable(nameSchema),
  rule: nullable(nameSchema),
  alarm: nullable(Type.String({ description: "its name within the rule" })),
  code: errorCodeSchema,
  key: Type.String({ description: 'tells two alarms of one code or name apart; "*" is the group that a flood makes' }),
  state: Type.Enum([...alarmStates], { description: "returned: it is over, and nobody has acknowledged it" }),
  acknowledgedAt: nullable(timeSchema),
  acknowledgedBy: nullable(Type.String()),
  comment: nullable(Type.String()),
  shelved: nullable(
    Type.Object({
      until: nullable(timeOf("null = until it has returned to normal once")),
      by: Type.String(),
    }),
  ),
  escalated: Type.Integer({ description: "steps of escalation that are done" }),
  pending: Type.Array(Type.Enum([...alarmActKinds]), { description: "what the gateway has not answered yet" }),
  severity: Type.Enum([...severities]),
  message: Type.String(),
  raisedAt: timeSchema,
  lastAt: timeSchema,
  count: Type.Integer(),
  clearedAt: nullable(timeSchema),
});

export const alarmTransitionSchema = Type.Object({
  kind: Type.Enum([...alarmTransitionKinds, "set", "called"], {
    description: "set, called: a value set at its device, or a method called, between its raise and its end",
  }),
  time: timeOf("by the gateway's clock; by the cloud's where the system raised it, or something was set or called"),
  state: Type.Enum([...alarmStates]),
  severity: Type.Enum([...severities]),
  message: Type.String(),
  count: Type.Integer(),
  who: nullable(Type.String({ description: "null = the gateway or the system itself" })),
  comment: nullable(Type.String()),
});

export const alarmActSchema = Type.Object({
  id: Type.String(),
  alarm: Type.String({ description: "id of the alarm" }),
  kind: Type.Enum([...alarmActKinds]),
  state: Type.Enum(["pending", "done", "refused"], { description: "pending: the gateway has not answered yet" }),
  reason: nullable(errorCodeSchema),
  comment: nullable(Type.String()),
  until: nullable(timeSchema),
  requestedBy: Type.String(),
  requestedAt: timeSchema,
  endedAt: nullable(timeSchema),
});

/** @source RFC 9457, 3 */
export const problemSchema = Type.Object({
  type: Type.String({ description: "URI of the error's page" }),
  title: Type.String({ description: "what the code means" }),
  status: Type.Integer(),
  detail: Type.String(),
  code: errorCodeSchema,
  retry: Type.Enum(["never", "later", "at-once"]),
  fields: Type.Array(Type.Object({ field: Type.String(), value: Type.String(), rule: Type.String() })),
});

export const tenantParams = Type.Object({ tenant: nameSchema }, closed);
export { durationSchema, nameSchema };

/** How a device that is written to or called, or the way to it, may fail. */
export const deviceErrors = [
  "mapper/value-refused",
  "mapper/timeout",
  "mapper/device-failure",
  "mapper/device-busy",
  "mapper/connect-failed",
  "mapper/connection-lost",
  "mapper/stopped",
] as const satisfies readonly ErrorCode[];
