import { type DesiredValue, type DeviceUid, desiredStates, limits, type Micros } from "@penstock/model";
import type { AnyMessage } from "./frames.ts";
import { alarmActs, alarmEpoch, alarmNumbers } from "./link-alarms.ts";
import { browseFields } from "./link-browse.ts";
import { callIds, methodCall } from "./link-calls.ts";
import {
  bad,
  type Check,
  errorCode,
  isBool,
  isCounter,
  list,
  oneOf,
  orNull,
  ranges,
  shape,
  text,
  unknownKeys,
  valueType,
} from "./link-check.ts";
import { manifestHashes } from "./link-mappers.ts";
import { checkValue } from "./link-value.ts";
import type { Assigned, CloudMessage } from "./messages.ts";

const uid = text<DeviceUid>(64);
const property = text(64);
const credit = shape({ live: isCounter, backlog: isCounter });
const versionRange = shape({ min: isCounter, max: isCounter });

const desired: Check<DesiredValue> = (value, path) => {
  const base = shape<Omit<DesiredValue, "value">>({
    device: uid,
    property,
    type: valueType,
    version: isCounter,
    ttlMs: (ttl, at) => (typeof ttl === "number" && ttl >= 0 ? ttl : bad(at, "milliseconds")),
  })(value, path);
  return { ...base, value: checkValue(base.type, (value as { value?: unknown }).value, `${path}.value`) };
};

/** The envelope; what stands inside is checked by resources, which owns the meaning, before it goes to disk. */
const assignedSet: Check<Assigned["set"]> = (value, path) => {
  const envelope = shape({
    version: isCounter,
    tenant: shape({ uid: text(64), name: text(63) }),
    // A cloud of an earlier day says nothing of mqtt.
    node: shape({ uid: text(64), name: text(63), timeZone: text(64), mqtt: orNull((mqtt) => mqtt) }),
    connections: list((item) => item, 100_000),
    devices: list((item) => item, 100_000),
    // A cloud of an earlier day knows no rules.
    rules: (rules, at) => (rules === undefined ? [] : list((item) => item, limits.rulesPerNode)(rules, at)),
  })(value, path);
  return envelope as unknown as Assigned["set"];
};

const fields = {
  welcome: {
    version: isCounter,
    features: list(text(64), 100),
    time: ((value, path) =>
      typeof value === "number" && Number.isSafeInteger(value)
        ? (value as Micros)
        : bad(path, "whole microseconds")) as Check<Micros>,
    held: ranges,
    newEpoch: isBool,
    credit,
  },
  refused: { code: errorCode, message: text(4096), versions: versionRange },
  ack: { ranges },
  assigned: { set: assignedSet },
  desired: { values: list(desired, 100_000) },
  "reports-taken": {
    taken: list(shape({ device: uid, property, version: isCounter, state: oneOf(desiredStates) }), 100_000),
  },
  calls: { calls: list(methodCall, limits.callsRemembered) },
  "call-reports-taken": { ids: callIds },
  "alarms-taken": { epoch: alarmEpoch, numbers: alarmNumbers },
  "alarm-acts": { acts: alarmActs },
  "need-manifests": { hashes: manifestHashes },
  browse: browseFields,
  certificate: { certificatePem: text(limits.frameBytes * 4), trustBundlePem: text(limits.frameBytes * 16) },
  ping: { n: isCounter },
  pong: { n: isCounter },
} as const;

/** What a message may leave out, since clouds of an earlier day do. */
const optionalFields: { readonly [kind in CloudMessage["t"]]?: Readonly<Record<string, Check<unknown>>> } = {
  welcome: { stamp: isCounter, helloStamp: isCounter },
  ack: { credit },
  desired: { stamp: isCounter },
  calls: { stamp: isCounter },
  ping: { stamp: isCounter },
  pong: { stamp: isCounter },
};

/**
 * A message of the cloud, checked field by field; keys of a later version are left out and counted.
 *
 * @returns null when the kind of message is not known here
 * @throws AppError "link/bad-frame" naming the field
 */
export function checkCloudMessage(message: AnyMessage): { message: CloudMessage; unknownFields: number } | null {
  const kind = message.t;
  if (!Object.hasOwn(fields, kind)) return null;
  const known = fields[kind as keyof typeof fields];
  const checked = shape(known as Record<string, Check<unknown>>)(message, kind);
  const may = optionalFields[kind as keyof typeof fields] ?? {};
  const optional: Record<string, unknown> = {};
  for (const [name, check] of Object.entries(may)) {
    if (message[name] !== undefined) optional[name] = check(message[name], `${kind}.${name}`);
  }
  return {
    // Each field went through the check that the table above gives for it.
    message: { t: kind, ...checked, ...optional } as unknown as CloudMessage,
    unknownFields: unknownKeys(message, [...Object.keys(known), ...Object.keys(may)]),
  };
}
