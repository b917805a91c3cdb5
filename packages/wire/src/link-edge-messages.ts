import {
  type Cadence,
  type ConnectionUid,
  type CycleHealth,
  type DesiredReport,
  type DeviceHealth,
  type DeviceUid,
  desiredStates,
  type Epoch,
  type LayoutProperty,
  type LineHealth,
  limits,
  type MapperStatus,
  type Micros,
  type NodeReport,
  type OutboxStats,
  type Ranges,
  type RuleHealth,
  type RuleUid,
} from "@penstock/model";
import type { AnyMessage } from "./frames.ts";
import { alarmEpoch, alarmOutcomes, alarmTransitions } from "./link-alarms.ts";
import { browsedFields } from "./link-browse.ts";
import { callIds, callReport, propertyHold } from "./link-calls.ts";
import {
  bad,
  type Check,
  errorCode,
  hex32,
  isBool,
  isBytes,
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
import { manifestHash, manifestText, toldMappers } from "./link-mappers.ts";
import { checkValue } from "./link-value.ts";
import type { EdgeMessage, Hello, WireEntry } from "./messages.ts";

const micros: Check<Micros> = (value, path) =>
  typeof value === "number" && Number.isSafeInteger(value) ? (value as Micros) : bad(path, "whole microseconds");

const uid = text<DeviceUid>(64);
const property = text(64);
const versionRange = shape({ min: isCounter, max: isCounter });
const proof = shape({ certificatePem: text(limits.helloBytes), signature: isBytes });

const helloFields = {
  versions: versionRange,
  features: list(text(64), 100),
  agent: text(64),
  boot: hex32<Hello["boot"]>(),
  epoch: hex32<Epoch>(),
  lowest: isCounter,
  highest: isCounter,
  recovered: isCounter,
  time: micros,
  timeTrusted: isBool,
  assignedVersion: isCounter,
};

const layout = shape({
  id: isCounter,
  device: uid,
  properties: list(shape<LayoutProperty>({ name: property, type: valueType }), limits.propertiesPerDevice),
});

const entry: Check<WireEntry> = (value, path) => {
  if (!Array.isArray(value) || value.length < 4) return bad(path, "[firstSeq, count, layout, body]");
  const [firstSeq, count, layoutId, body, z] = value as unknown[];
  if (isCounter(count, path) > limits.readingsPerBatch) return bad(path, `count of at most ${limits.readingsPerBatch}`);
  return [isCounter(firstSeq, path), count as number, isCounter(layoutId, path), isBytes(body, path), z === 1 ? 1 : 0];
};

const takenFields = shape({ device: uid, property, version: isCounter });
const taken = list((value, path) => {
  const fields = takenFields(value, path);
  const { time } = value as { time?: unknown };
  return { ...fields, ...(time !== undefined && { time: micros(time, `${path}.time`) }) };
}, 100_000);

const report: Check<DesiredReport> = (value, path) => {
  const base = shape<Omit<DesiredReport, "value">>({
    device: uid,
    property,
    version: isCounter,
    state: oneOf(desiredStates),
    reason: orNull(errorCode),
    message: orNull(text(4096)),
    type: valueType,
    time: micros,
  })(value, path);
  return { ...base, value: checkValue(base.type, (value as { value?: unknown }).value, `${path}.value`) };
};

const mapperStatus = shape<MapperStatus>({
  mapper: text(64),
  state: oneOf(["starting", "running", "restarting", "stopped", "missing"]),
  pid: orNull(isCounter),
  restarts: isCounter,
  reason: orNull(errorCode),
  message: orNull(text(4096)),
});
const deviceHealth = shape<DeviceHealth>({
  device: uid,
  state: oneOf(["online", "offline", "unknown"]),
  reason: orNull(errorCode),
  message: orNull(text(4096)),
});
const isAmount: Check<number> = (value, path) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : bad(path, "a number from 0");
const cadence: Check<Cadence> = (value, path) => {
  if (typeof value === "object" && value !== null && "everyMs" in value)
    return shape({ everyMs: isCounter })(value, path);
  return shape({ atSeconds: list(isCounter, limits.timesOfDay) })(value, path);
};
const cycleHealth = shape<CycleHealth>({
  device: uid,
  cadence,
  properties: isCounter,
  measuredMs: orNull(isAmount),
  longestMs: orNull(isAmount),
  reportMs: orNull(isAmount),
  overruns: isCounter,
  isOverrun: isBool,
});
const lineHealth = shape<LineHealth>({
  connection: text<ConnectionUid>(64),
  state: oneOf(["up", "down", "waiting"]),
  reason: orNull(errorCode),
  message: orNull(text(4096)),
  loadPercent: isAmount,
  requestsPerSecond: isAmount,
});
const ruleHealth = shape<RuleHealth>({
  rule: text<RuleUid>(64),
  generation: isCounter,
  state: oneOf(["running", "stopped", "refused", "failed"]),
  reason: orNull(errorCode),
  message: orNull(text(4096)),
  rowsIn: isCounter,
  rowsOut: isCounter,
  errors: isCounter,
  lastError: orNull(text(4096)),
});
const outboxStats = shape<OutboxStats>({
  bytes: isCounter,
  entries: isCounter,
  readings: isCounter,
  oldestAgeMs: (value, path) => (typeof value === "number" ? value : bad(path, "milliseconds")),
  dropped: isCounter,
  refused: isCounter,
  full: isBool,
  diskFull: (value, path) => value !== undefined && isBool(value, path),
});
const counterName = /^penstock_[a-z0-9_]{1,119}$/;
/** What is no counter of ours, or too many, is left out: a node's word on itself must not cost it the session. */
const counters: Check<Record<string, number>> = (value, path) => {
  if (typeof value !== "object" || value === null) return bad(path, "a map");
  const entries = Object.entries(value).filter(
    (pair): pair is [string, number] => counterName.test(pair[0]) && Number.isSafeInteger(pair[1]) && pair[1] >= 0,
  );
  return Object.fromEntries(entries.slice(0, limits.countersPerNode));
};
const nodeReport = shape<NodeReport>({
  agentVersion: text(64),
  mappers: list(mapperStatus, 1000),
  devices: list(deviceHealth, 100_000),
  cycles: list(cycleHealth, 1000),
  lines: list(lineHealth, 10_000),
  // An agent of before there were rules says nothing of them.
  rules: (rules, path) => (rules === undefined ? [] : list(ruleHealth, limits.rulesTold)(rules, path)),
  outbox: outboxStats,
  counters,
});

const fields = {
  hello: helloFields,
  readings: { layouts: list(layout, 10_000), entries: list(entry, 100_000) },
  dropped: { lowest: isCounter },
  applied: { version: isCounter },
  "desired-taken": { taken },
  reports: { reports: list(report, 100_000) },
  holds: { holds: list(propertyHold, limits.holdsPerNode) },
  "calls-taken": { ids: callIds },
  "call-reports": { reports: list(callReport, limits.callsRemembered) },
  alarms: { epoch: alarmEpoch, transitions: alarmTransitions },
  "alarm-acts-done": { outcomes: alarmOutcomes },
  mappers: { mappers: toldMappers },
  manifest: { hash: manifestHash, text: manifestText },
  browsed: browsedFields,
  status: { report: nodeReport },
  renew: { publicKey: isBytes },
  ping: { n: isCounter },
  pong: { n: isCounter },
} as const;

/**
 * A message of the edge, checked field by field; keys of a later version are left out and counted.
 *
 * @returns null when the kind of message is not known here
 * @throws AppError "link/bad-frame" naming the field
 */
export function checkEdgeMessage(message: AnyMessage): { message: EdgeMessage; unknownFields: number } | null {
  const kind = message.t;
  if (!Object.hasOwn(fields, kind)) return null;
  const known = fields[kind as keyof typeof fields];
  const checked = shape(known as Record<string, Check<unknown>>)(message, kind);
  const optional = kind === "hello" ? helloOptions(message) : {};
  return {
    // Each field went through the check that the table above gives for it.
    message: { t: kind, ...checked, ...optional } as unknown as EdgeMessage,
    unknownFields: unknownKeys(message, [...Object.keys(known), ...(kind === "hello" ? ["proof", "settled"] : [])]),
  };
}

const settledRanges: Check<Ranges> = (value, path) => {
  const settled = ranges(value, path);
  return settled.length <= limits.helloRanges ? settled : bad(path, `at most ${limits.helloRanges} ranges`);
};

function helloOptions(message: AnyMessage): Pick<Hello, "proof" | "settled"> {
  return {
    ...(message.proof === undefined ? {} : { proof: proof(message.proof, "hello.proof") }),
    ...(message.settled === undefined ? {} : { settled: settledRanges(message.settled, "hello.settled") }),
  };
}

/** Only what negotiation needs, so that a hello of a version we do not know can still be answered with our range. */
export function helloVersions(message: AnyMessage): { readonly min: number; readonly max: number } {
  if (message.t !== "hello") return bad("t", "hello as the first message");
  return versionRange(message.versions, "hello.versions");
}
