import type { ConnectionUid, DeviceUid } from "../ids.ts";
import { formatDuration, parseDuration } from "../time.ts";
import { type ExactJson, isIntegerType, type Json, type ValueType } from "../value.ts";
import type { ConnectionSpec, DeviceModelSpec, DeviceSpec, MethodSpec, PropertySpec } from "./device.ts";
import type {
  Cadence,
  Collection,
  EffectiveConnection,
  EffectiveDevice,
  EffectiveMethod,
  EffectiveProperty,
  ReportPolicy,
} from "./effective.ts";
import { defaultLine, type LineSettings, type LineSpec } from "./line.ts";
import { withDefaults } from "./with-defaults.ts";

/** A property after merging; the type may still be missing until `checkDevice` has spoken. */
export type MergedProperty = Partial<PropertySpec>;
export interface MergedDevice {
  readonly address: Readonly<Record<string, unknown>>;
  readonly custom: Readonly<Record<string, unknown>>;
  /** by name */
  readonly properties: ReadonlyMap<string, MergedProperty>;
  /** by name */
  readonly methods: ReadonlyMap<string, MethodSpec>;
  readonly presence: { readonly offlineAfter?: string };
}

/** How often a readable property is read when nobody says. */
export const defaultEveryMs = 1000;

/** Model below, device above, field by field; the device wins. */
export function mergeDevice(model: DeviceModelSpec | null, device: DeviceSpec): MergedDevice {
  const merged = withDefaults(model?.properties ?? {}, device.properties ?? {}) as Record<string, MergedProperty>;
  return {
    address: withDefaults(model?.address ?? {}, device.address) as Record<string, unknown>,
    custom: withDefaults(model?.custom ?? {}, device.custom) as Record<string, unknown>,
    properties: byName(merged),
    methods: byName(withDefaults(model?.methods ?? {}, device.methods) as Record<string, MethodSpec>),
    presence: withDefaults(model?.presence ?? {}, device.presence) as MergedDevice["presence"],
  };
}

export function effectiveConnection(options: {
  readonly uid: ConnectionUid;
  readonly name: string;
  readonly spec: Pick<ConnectionSpec, "protocol" | "settings" | "line">;
}): EffectiveConnection {
  const { uid, name, spec } = options;
  return { uid, name, protocol: spec.protocol, settings: plain(spec.settings), line: lineSettings(spec.line) };
}

/** What is not stated is as in `defaultLine`. */
export function lineSettings(line: LineSpec = {}): LineSettings {
  const ms = (duration: string | undefined, otherwise: number) =>
    duration === undefined ? otherwise : (parseDuration(duration) ?? otherwise);
  return {
    timeoutMs: ms(line.timeout, defaultLine.timeoutMs),
    connectTimeoutMs: ms(line.connectTimeout, defaultLine.connectTimeoutMs),
    retries: line.retries ?? defaultLine.retries,
    backOffFirstMs: ms(line.backOff?.first, defaultLine.backOffFirstMs),
    backOffLongestMs: ms(line.backOff?.longest, defaultLine.backOffLongestMs),
    pauseMs: ms(line.pause, defaultLine.pauseMs),
    collection: line.collection ?? defaultLine.collection,
    inFlight: line.inFlight ?? defaultLine.inFlight,
  };
}

/** A merged device that `checkDevice` found good, as the gateway gets it. */
export function effectiveDevice(options: {
  readonly uid: DeviceUid;
  readonly name: string;
  readonly generation: number;
  readonly connection: ConnectionUid;
  readonly merged: MergedDevice;
}): EffectiveDevice {
  const { uid, name, generation, connection, merged } = options;
  return {
    uid,
    name,
    generation,
    connection,
    address: plain(merged.address),
    custom: exact(merged.custom),
    methods: [...merged.methods].map(([method, spec]) => effectiveMethod(method, spec)),
    offlineAfterMs: merged.presence.offlineAfter === undefined ? null : parseDuration(merged.presence.offlineAfter),
    properties: [...merged.properties].map(([property, spec]) => effectiveProperty(property, spec)),
  };
}

export function effectiveProperty(name: string, spec: MergedProperty): EffectiveProperty {
  // checkDevice refuses a property without a type before it is stored.
  const type = spec.type!;
  const access = spec.access ?? "read";
  return {
    name,
    type,
    unit: spec.unit ?? null,
    access,
    minimum: boundText(type, spec.minimum),
    maximum: boundText(type, spec.maximum),
    visitor: plain(spec.visitor),
    collect: access === "write" || spec.calculated === true ? null : collectionOf(spec.collect),
    report: reportPolicy(spec),
    publish: spec.publish === undefined ? null : { topic: spec.publish.topic, qos: spec.publish.qos ?? 0 },
    localWrites: spec.localWrites ?? "refuse",
    ...(spec.calculated === true && { isCalculated: true }),
    custom: exact(spec.custom),
  };
}

/** How long a method may take when nobody says. */
export const defaultMethodTimeoutMs = 10_000;

export function effectiveMethod(name: string, spec: MethodSpec): EffectiveMethod {
  return {
    name,
    arguments: Object.entries(spec.arguments ?? {}).map(([argument, { type, minimum, maximum, optional }]) => ({
      name: argument,
      type,
      minimum: boundText(type, minimum),
      maximum: boundText(type, maximum),
      isOptional: optional ?? false,
    })),
    result: spec.result?.type ?? null,
    timeoutMs: spec.timeout === undefined ? defaultMethodTimeoutMs : parseDuration(spec.timeout)!,
    visitor: spec.visitor === undefined ? null : plain(spec.visitor),
    sets: Object.entries(spec.sets ?? {}).map(([property, value]) => {
      const argument = argumentNamed(value);
      return argument === null ? { property, value: value as Json } : { property, argument };
    }),
  };
}

/** "${level}" stands for the argument "level"; null for a value that stands for itself. */
export function argumentNamed(value: unknown): string | null {
  return typeof value === "string" ? (/^\$\{([A-Za-z_][A-Za-z0-9_-]{0,62})\}$/.exec(value)?.[1] ?? null) : null;
}

function collectionOf(spec: MergedProperty["collect"]): Collection {
  if (spec?.subscribe === true) return { subscribe: true };
  return cadenceOf(spec) ?? { everyMs: defaultEveryMs };
}

/** null when neither is stated; `checkProperty` has refused both at once and what cannot be read */
function cadenceOf(spec: { readonly every?: string; readonly at?: readonly string[] } | undefined): Cadence | null {
  if (spec?.at !== undefined) return { atSeconds: spec.at.map(secondOfDay).sort((a, b) => a - b) };
  return spec?.every === undefined ? null : { everyMs: parseDuration(spec.every)! };
}

/** For people: "every 1s", "at 06:00, 18:00:30", "when it changes". */
export function cadenceText(cadence: Collection): string {
  if ("subscribe" in cadence) return "when it changes";
  if ("everyMs" in cadence) return `every ${formatDuration(cadence.everyMs)}`;
  const two = (number: number) => String(number).padStart(2, "0");
  const times = cadence.atSeconds.map((second) => {
    const minutes = `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}`;
    return second % 60 === 0 ? minutes : `${minutes}:${two(second % 60)}`;
  });
  return `at ${times.join(", ")}`;
}

/** For people: "each reading", "every 1h", "on change by 0.5, at least every 10m", "not to the cloud". */
export function reportText({ toCloud, cadence, deadband, atLeastMs }: ReportPolicy): string {
  if (!toCloud) return "not to the cloud";
  const when = [
    ...(deadband === null ? [] : [deadband === 0 ? "on change" : `on change by ${deadband}`]),
    ...(cadence === null ? [] : [cadenceText(cadence)]),
    ...(atLeastMs === null ? [] : [`at least every ${formatDuration(atLeastMs)}`]),
  ];
  return when.length === 0 ? "each reading" : when.join(", ");
}

/** @param time "06:00" or "06:00:30" */
function secondOfDay(time: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = time.split(":").map(Number);
  return hours * 3600 + minutes * 60 + seconds;
}

function reportPolicy({ report, minimum, maximum }: MergedProperty): ReportPolicy {
  const deadband = report?.onChange?.deadband;
  const percent = ((Number(maximum) - Number(minimum)) * (deadband?.percent ?? 0)) / 100;
  return {
    toCloud: report?.toCloud ?? true,
    cadence: cadenceOf(report),
    deadband: report?.onChange === undefined ? null : (deadband?.absolute ?? (deadband === undefined ? 0 : percent)),
    atLeastMs: report?.atLeast === undefined ? null : parseDuration(report.atLeast),
  };
}

function byName<T>(record: Readonly<Record<string, T>>): Map<string, T> {
  return new Map(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function boundText(type: ValueType, bound: number | string | undefined): string | null {
  if (bound === undefined) return null;
  return isIntegerType(type) ? BigInt(bound).toString() : String(bound);
}

function plain(object: unknown): Record<string, Json> {
  // What is stored came in as JSON.
  return (object ?? {}) as Record<string, Json>;
}

function exact(object: unknown): Record<string, ExactJson> {
  return (object ?? {}) as Record<string, ExactJson>;
}
