import { createHash } from "node:crypto";
import {
  type ConnectionSpec,
  type ConnectionUid,
  type DeviceModelSpec,
  type DeviceSpec,
  type DeviceUid,
  type EffectiveConnection,
  type EffectiveDevice,
  type EffectiveProperty,
  isIntegerType,
  type Json,
  type PropertySpec,
  parseDuration,
} from "@penstock/model";
import { withDefaults } from "./json.ts";

/** A property after merging; the type may still be missing until `checkDevice` has spoken. */
export type MergedProperty = Partial<PropertySpec>;
export interface MergedDevice {
  readonly address: Readonly<Record<string, unknown>>;
  readonly custom: Readonly<Record<string, unknown>>;
  /** by name */
  readonly properties: ReadonlyMap<string, MergedProperty>;
}

/** How often a readable property is read when nobody says. */
export const defaultEveryMs = 1000;

/** Model below, device above, field by field; the device wins. */
export function mergeDevice(model: DeviceModelSpec | null, device: DeviceSpec): MergedDevice {
  const merged = withDefaults(model?.properties ?? {}, device.properties ?? {}) as Record<string, MergedProperty>;
  return {
    address: withDefaults(model?.address ?? {}, device.address) as Record<string, unknown>,
    custom: withDefaults(model?.custom ?? {}, device.custom) as Record<string, unknown>,
    properties: new Map(Object.entries(merged).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** An inline connection belongs to its device: its uid follows from the device's and stays the same for life. */
export function inlineConnectionUid(device: DeviceUid): ConnectionUid {
  return createHash("sha256").update(`inline connection of ${device}`).digest("hex").slice(0, 32) as ConnectionUid;
}

export function effectiveConnection(options: {
  readonly uid: ConnectionUid;
  readonly name: string;
  readonly spec: Pick<ConnectionSpec, "protocol" | "settings">;
}): EffectiveConnection {
  const { uid, name, spec } = options;
  return { uid, name, protocol: spec.protocol, settings: plain(spec.settings) };
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
    custom: plain(merged.custom),
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
    collectEveryMs: access === "write" ? null : parseDuration(spec.collect?.every ?? `${defaultEveryMs}ms`),
    toCloud: spec.report?.toCloud ?? true,
    publish: spec.publish === undefined ? null : { topic: spec.publish.topic, qos: spec.publish.qos ?? 0 },
  };
}

function boundText(type: EffectiveProperty["type"], bound: number | string | undefined): string | null {
  if (bound === undefined) return null;
  return isIntegerType(type) ? BigInt(bound).toString() : String(bound);
}

function plain(object: unknown): Record<string, Json> {
  // What is stored came in as JSON.
  return (object ?? {}) as Record<string, Json>;
}
