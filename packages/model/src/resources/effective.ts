import type { ConnectionUid, DeviceUid, NodeUid, RuleUid, TenantUid } from "../ids.ts";
import type { ExactJson, Json, ValueType } from "../value.ts";
import type { Access, LocalWritePolicy } from "./device.ts";
import type { LineSettings } from "./line.ts";
import type { EffectiveMqtt } from "./mqtt.ts";
import type { RuleActionSpec, RuleSourceSpec } from "./rule.ts";

/**
 * What the cloud hands a gateway and the gateway keeps on disk: names resolved to uids, models merged in, durations in
 * milliseconds. A gateway needs nothing else to work without the cloud.
 */
export interface AssignedSet {
  /** grows with every change for this node; applying the same set twice changes nothing */
  readonly version: number;
  readonly tenant: { readonly uid: TenantUid; readonly name: string };
  readonly node: {
    readonly uid: NodeUid;
    readonly name: string;
    readonly timeZone: string;
    /** none: as `defaultMqtt` */
    readonly mqtt?: EffectiveMqtt | null;
  };
  readonly connections: readonly EffectiveConnection[];
  readonly devices: readonly EffectiveDevice[];
  readonly rules: readonly EffectiveRule[];
}
/** A rule as a gateway runs it: its spec without where it runs. */
export interface EffectiveRule {
  readonly uid: RuleUid;
  /** unique in the tenant */
  readonly name: string;
  readonly generation: number;
  readonly sql: string;
  readonly mode: "strict" | "compat";
  readonly isStopped: boolean;
  /** null: by when rows come */
  readonly eventTime: { readonly lateToleranceMs: number; readonly idleAfterMs: number } | null;
  readonly sources: Readonly<Record<string, RuleSourceSpec>>;
  readonly actions: readonly RuleActionSpec[];
}
export interface EffectiveConnection {
  readonly uid: ConnectionUid;
  readonly name: string;
  /** mapper name */
  readonly protocol: string;
  readonly settings: Readonly<Record<string, Json>>;
  readonly line: LineSettings;
}
export interface EffectiveDevice {
  readonly uid: DeviceUid;
  readonly name: string;
  readonly generation: number;
  readonly connection: ConnectionUid;
  readonly address: Readonly<Record<string, Json>>;
  readonly properties: readonly EffectiveProperty[];
  readonly methods: readonly EffectiveMethod[];
  /** null = the gateway's own rule */
  readonly offlineAfterMs: number | null;
  readonly custom: Readonly<Record<string, ExactJson>>;
}
/** When something is done: in steps of a monotonic clock, or at seconds of the day in the node's time zone, ascending. */
export type Cadence = { readonly everyMs: number } | { readonly atSeconds: readonly number[] };
/** How values are got: asked for by a cadence, or told by the device when they change. */
export type Collection = Cadence | { readonly subscribe: true };
export interface ReportPolicy {
  readonly toCloud: boolean;
  /** the first reading of each period goes; null = no period */
  readonly cadence: Cadence | null;
  /** null = changes do not matter; 0 = any change */
  readonly deadband: number | null;
  /** heartbeat; null = none */
  readonly atLeastMs: number | null;
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
  /** null = never polled: write-only, or calculated */
  readonly collect: Collection | null;
  readonly report: ReportPolicy;
  readonly publish: { readonly topic: string; readonly qos: 0 | 1 } | null;
  readonly localWrites: LocalWritePolicy;
  /** rules write it: it is never collected, and nobody else sets it; left out: no */
  readonly isCalculated?: true;
  readonly custom: Readonly<Record<string, ExactJson>>;
}
export interface EffectiveArgument {
  readonly name: string;
  readonly type: ValueType;
  readonly minimum: string | null;
  readonly maximum: string | null;
  readonly isOptional: boolean;
}
export interface EffectiveMethod {
  readonly name: string;
  readonly arguments: readonly EffectiveArgument[];
  readonly result: ValueType | null;
  readonly timeoutMs: number;
  /** what the mapper calls; null when it sets properties */
  readonly visitor: Readonly<Record<string, Json>> | null;
  /** in this order; an argument by its name, or a value */
  readonly sets: readonly (
    | { readonly property: string; readonly argument: string }
    | { readonly property: string; readonly value: Json }
  )[];
}
