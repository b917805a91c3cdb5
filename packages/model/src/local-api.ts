import type { DesiredState } from "./desired.ts";
import type { ErrorCode } from "./errors.ts";
import type { CycleHealth, DeviceHealth, LineHealth, MapperStatus, OutboxStats } from "./flow.ts";
import type { CallEnd, CallStep } from "./method-call.ts";
import type { Quality } from "./quality.ts";
import type { Access, LocalWritePolicy } from "./resources/device.ts";
import type { Json, ValueType } from "./value.ts";

/**
 * Answers of the gateway's local API. Values are JSON as everywhere (DESIGN 4), times RFC 3339 in UTC with microseconds.
 * Names are those of the cloud's API; what only a gateway has is `local`, `hold` and `localWrites`.
 */
export interface LocalDevice {
  readonly device: string;
  readonly connection: string | null;
  readonly state: DeviceHealth["state"];
  readonly reason: ErrorCode | null;
  readonly message: string | null;
  readonly properties: readonly string[];
  readonly methods: readonly string[];
}
export interface LocalReading {
  readonly time: string;
  readonly value: Json;
  readonly quality: Quality;
  readonly reason: ErrorCode | null;
}
export interface LocalProgress {
  readonly state: DesiredState;
  /** what was wanted; null once it has ended */
  readonly value: Json;
  readonly reason: ErrorCode | null;
  readonly message: string | null;
  readonly readBack: Json;
  readonly takenAt: string | null;
  readonly writtenAt: string | null;
  readonly endedAt: string | null;
}
export interface LocalHold {
  readonly holder: string;
  readonly value: Json;
  readonly since: string;
  /** null = until it is released */
  readonly until: string | null;
}
export interface LocalProperty {
  readonly property: string;
  readonly type: ValueType;
  readonly unit: string | null;
  readonly access: Access;
  readonly minimum: string | null;
  readonly maximum: string | null;
  readonly localWrites: LocalWritePolicy;
  readonly reported: LocalReading | null;
  /** of the cloud */
  readonly desired: (LocalProgress & { readonly version: number }) | null;
  /** set at this gateway */
  readonly local: LocalProgress | null;
  readonly hold: LocalHold | null;
}
export interface LocalMethod {
  readonly method: string;
  readonly arguments: readonly {
    readonly name: string;
    readonly type: ValueType;
    readonly minimum: string | null;
    readonly maximum: string | null;
    readonly isOptional: boolean;
  }[];
  readonly resultType: ValueType | null;
  readonly timeoutMs: number;
  readonly sets: readonly string[];
}
export interface LocalTwinAnswer {
  readonly device: string;
  readonly properties: readonly LocalProperty[];
  readonly methods: readonly LocalMethod[];
}
/** Of a value set here: `hold` is who holds the property now. */
export interface LocalSetAnswer extends LocalProgress {
  readonly device: string;
  readonly property: string;
  readonly hold: LocalHold | null;
}
export interface LocalReleaseAnswer {
  readonly device: string;
  readonly property: string;
  /** false: nobody held it */
  readonly released: boolean;
  /** of the cloud, which goes on now */
  readonly desired: LocalProperty["desired"];
}
export interface LocalCallAnswer {
  readonly device: string;
  readonly method: string;
  readonly state: CallEnd;
  readonly resultType: ValueType | null;
  readonly result: Json;
  readonly steps: readonly CallStep[];
}
export interface LocalStatus {
  readonly node: string;
  readonly tenant: string | null;
  readonly agentVersion: string;
  readonly link: {
    readonly phase: "connecting" | "connected" | "waiting" | "closed";
    readonly code: ErrorCode | null;
    readonly message: string | null;
  };
  readonly mappers: readonly MapperStatus[];
  readonly lines: readonly (Omit<LineHealth, "connection"> & { readonly connection: string })[];
  /** the slowest against their cadence first */
  readonly cycles: readonly (Omit<CycleHealth, "device"> & { readonly device: string })[];
  readonly outbox: OutboxStats;
  readonly holds: readonly (LocalHold & { readonly device: string; readonly property: string })[];
  readonly counters: Readonly<Record<string, number>>;
}
