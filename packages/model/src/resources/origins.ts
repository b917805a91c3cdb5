import type { JsonSchema, MapperManifest } from "../mapper-manifest.ts";
import { formatDuration } from "../time.ts";
import type { ExactJson } from "../value.ts";
import { sameData } from "./assigned-change.ts";
import type { ConnectionSpec, DeviceModelSpec, DeviceSpec } from "./device.ts";
import { defaultEveryMs, defaultMethodTimeoutMs, type MergedDevice, mergeDevice } from "./effective-device.ts";
import { defaultLine } from "./line.ts";

export const originKinds = ["device", "model", "connection", "mapper default", "built-in default"] as const;
/** One field of a device as it counts in the end, and who says so. */
export interface EffectiveField {
  /** "properties.temperature.visitor.offset" */
  readonly field: string;
  readonly value: ExactJson;
  readonly origin: (typeof originKinds)[number];
  /** name of the model, connection or mapper */
  readonly from: string | null;
}

export interface OriginsInput {
  readonly spec: DeviceSpec;
  readonly model: DeviceModelSpec | null;
  /** the Connection that the spec names; null for an inline one */
  readonly connection: Pick<ConnectionSpec, "protocol" | "settings" | "line"> | null;
  /** null when no mapper of the protocol is known: its defaults are left out */
  readonly manifest: MapperManifest | null;
}

/** Every field of a device with its effective value and where that comes from, in the order of the parts. Pure. */
export function originsOf({ spec, model, connection, manifest }: OriginsInput): EffectiveField[] {
  const merged = mergeDevice(model, spec);
  const own = new Set(flatFields(mergeDevice(null, spec)).keys());
  const fields: EffectiveField[] = [];
  const put = (field: string, value: unknown, origin: EffectiveField["origin"], from: string | null = null) =>
    fields.push({ field, value: value as ExactJson, origin, from });
  const byDefault = (prefix: string, given: unknown, schema: JsonSchema | undefined) => {
    for (const [name, value] of defaultsOf(given, schema)) {
      put(`${prefix}.${name}`, value, "mapper default", manifest?.name ?? null);
    }
  };
  const line = typeof spec.connection === "string" ? connection : spec.connection;
  const said = typeof spec.connection === "string" ? "connection" : "device";
  const whose = typeof spec.connection === "string" ? spec.connection : null;
  put("connection.protocol", line?.protocol ?? null, said, whose);
  for (const part of ["settings", "line"] as const) {
    for (const [field, value] of leaves(`connection.${part}`, line?.[part] ?? {})) put(field, value, said, whose);
    if (part === "settings") byDefault("connection.settings", line?.settings, manifest?.connection);
  }
  for (const [name, value] of builtInLine(line?.line)) put(`connection.line.${name}`, value, "built-in default");
  for (const [field, value] of flatFields(merged)) {
    put(field, value, own.has(field) ? "device" : "model", own.has(field) ? null : (spec.model ?? null));
  }
  byDefault("address", merged.address, manifest?.address);
  for (const [name, property] of merged.properties) {
    if (property.calculated !== true) byDefault(`properties.${name}.visitor`, property.visitor, manifest?.visitor);
  }
  for (const [field, value] of builtIn(merged)) put(field, value, "built-in default");
  return fields.sort((a, b) => partOf(a.field) - partOf(b.field) || (a.field < b.field ? -1 : 1));
}

/** One field that an edit changes in effect; a side without it is null. */
export interface FieldChange {
  readonly field: string;
  readonly before: ExactJson;
  readonly after: ExactJson;
}

/** What differs in effect between two versions of a device, field by field. */
export function effectiveChanges(before: MergedDevice, after: MergedDevice): FieldChange[] {
  const [left, right] = [flatFields(before), flatFields(after)];
  return [...new Set([...left.keys(), ...right.keys()])].sort().flatMap((field) => {
    const [a, b] = [left.get(field), right.get(field)];
    return sameData(a, b) ? [] : [{ field, before: (a ?? null) as ExactJson, after: (b ?? null) as ExactJson }];
  });
}

const parts = ["connection", "address", "properties", "methods", "presence", "custom"];
function partOf(field: string): number {
  return parts.indexOf(field.split(".", 1)[0] ?? "");
}

/** Objects are taken apart, lists and empty objects stay whole. */
function flatFields(merged: MergedDevice): Map<string, unknown> {
  const { address, properties, methods, presence, custom } = merged;
  const whole = {
    address,
    properties: Object.fromEntries(properties),
    methods: Object.fromEntries(methods),
    presence,
    custom,
  };
  return new Map(Object.entries(whole).flatMap(([part, fields]) => [...leaves(part, fields)]));
}

function* leaves(path: string, value: unknown): Generator<[string, unknown]> {
  const isBranch = typeof value === "object" && value !== null && !Array.isArray(value);
  const entries = isBranch ? Object.entries(value) : [];
  if (!isBranch || (entries.length === 0 && path.includes("."))) {
    yield [path, value];
    return;
  }
  for (const [key, inner] of entries) if (inner !== undefined) yield* leaves(`${path}.${key}`, inner);
}

function defaultsOf(given: unknown, schema: JsonSchema | undefined): [string, unknown][] {
  const fields = (schema?.properties ?? {}) as Readonly<Record<string, { readonly default?: unknown }>>;
  const written = (given ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(fields).flatMap(([name, field]) =>
    field.default === undefined || written[name] !== undefined ? [] : [[name, field.default] as [string, unknown]],
  );
}

function builtInLine(line: ConnectionSpec["line"] = {}): [string, unknown][] {
  const { timeoutMs, connectTimeoutMs, retries, backOffFirstMs, backOffLongestMs, pauseMs, collection, inFlight } =
    defaultLine;
  const all: [string, unknown, unknown][] = [
    ["timeout", line.timeout, formatDuration(timeoutMs)],
    ["connectTimeout", line.connectTimeout, formatDuration(connectTimeoutMs)],
    ["retries", line.retries, retries],
    ["backOff.first", line.backOff?.first, formatDuration(backOffFirstMs)],
    ["backOff.longest", line.backOff?.longest, formatDuration(backOffLongestMs)],
    ["pause", line.pause, formatDuration(pauseMs)],
    ["collection", line.collection, collection],
    ["inFlight", line.inFlight, inFlight],
  ];
  return all.flatMap(([name, given, fallback]) => (given === undefined ? [[name, fallback] as [string, unknown]] : []));
}

function* builtIn({ properties, methods }: MergedDevice): Generator<[string, unknown]> {
  for (const [name, { access, collect, report, publish, localWrites, calculated }] of properties) {
    const at = `properties.${name}`;
    if (access === undefined) yield [`${at}.access`, "read"];
    if (collect === undefined && access !== "write" && calculated !== true)
      yield [`${at}.collect.every`, formatDuration(defaultEveryMs)];
    if (report?.toCloud === undefined && access !== "write") yield [`${at}.report.toCloud`, true];
    if (publish !== undefined && publish.qos === undefined) yield [`${at}.publish.qos`, 0];
    if (localWrites === undefined) yield [`${at}.localWrites`, "refuse"];
  }
  for (const [name, { timeout }] of methods) {
    if (timeout === undefined) yield [`methods.${name}.timeout`, formatDuration(defaultMethodTimeoutMs)];
  }
}
