import type { ConnectionUid, DeviceUid, NodeUid, TenantUid } from "../ids.ts";
import type { Json, ValueType } from "../value.ts";
import type { Access } from "./device.ts";

/**
 * What the cloud hands a gateway and the gateway keeps on disk: names resolved to uids, models merged in, durations in
 * milliseconds. A gateway needs nothing else to work without the cloud.
 */
export interface AssignedSet {
  /** grows with every change for this node; applying the same set twice changes nothing */
  readonly version: number;
  readonly tenant: { readonly uid: TenantUid; readonly name: string };
  readonly node: { readonly uid: NodeUid; readonly name: string; readonly timeZone: string };
  readonly connections: readonly EffectiveConnection[];
  readonly devices: readonly EffectiveDevice[];
}
export interface EffectiveConnection {
  readonly uid: ConnectionUid;
  readonly name: string;
  /** mapper name */
  readonly protocol: string;
  readonly settings: Readonly<Record<string, Json>>;
}
export interface EffectiveDevice {
  readonly uid: DeviceUid;
  readonly name: string;
  readonly generation: number;
  readonly connection: ConnectionUid;
  readonly address: Readonly<Record<string, Json>>;
  readonly properties: readonly EffectiveProperty[];
  readonly custom: Readonly<Record<string, Json>>;
}
export interface EffectiveProperty {
  readonly name: string;
  readonly type: ValueType;
  readonly unit: string | null;
  readonly access: Access;
  /** decimal text for integers, JSON number text for floats */
  readonly minimum: string | null;
  readonly maximum: string | null;
  readonly visitor: Readonly<Record<string, Json>>;
  /** null = never polled (write-only) */
  readonly collectEveryMs: number | null;
  readonly toCloud: boolean;
  readonly publish: { readonly topic: string; readonly qos: 0 | 1 } | null;
}
