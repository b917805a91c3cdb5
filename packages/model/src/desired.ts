import type { ErrorCode } from "./errors.ts";
import type { DeviceUid, Micros } from "./ids.ts";
import type { Value, ValueType } from "./value.ts";

/** pending → sent → written → confirmed, or failed, superseded, expired. The last four are ends. */
export const desiredStates = ["pending", "sent", "written", "confirmed", "failed", "superseded", "expired"] as const;
export type DesiredState = (typeof desiredStates)[number];

export function isFinal(state: DesiredState): boolean {
  return state === "confirmed" || state === "failed" || state === "superseded" || state === "expired";
}

/** A desired value on its way down. Order is the version the cloud gives, per property, never a clock. */
export interface DesiredValue {
  readonly device: DeviceUid;
  readonly property: string;
  readonly type: ValueType;
  readonly value: Value;
  readonly version: number;
  /** milliseconds left when it was sent; counted on the receiver's own monotonic clock */
  readonly ttlMs: number;
}

/** What the gateway says of a desired value; goes up the control lane, durable until the cloud has taken it. */
export interface DesiredReport {
  readonly device: DeviceUid;
  readonly property: string;
  readonly version: number;
  readonly state: DesiredState;
  readonly reason: ErrorCode | null;
  readonly message: string | null;
  /** the value read back, when there is one */
  readonly value: Value;
  readonly type: ValueType;
  readonly time: Micros;
}

/**
 * A value set at the gateway itself that keeps the cloud's values waiting (`localWrites: hold`). The gateway tells the cloud
 * all that it has, whenever they change.
 */
export interface PropertyHold {
  readonly device: DeviceUid;
  readonly property: string;
  /** who set it, in their own words */
  readonly holder: string;
  readonly type: ValueType;
  readonly value: Value;
  readonly since: Micros;
  /** null = until it is released */
  readonly until: Micros | null;
}
