import type { ErrorCode } from "./errors.ts";
import type { DeviceUid, Micros } from "./ids.ts";
import type { Value, ValueType } from "./value.ts";

/**
 * pending (at the cloud) → sent (on the gateway's disk, from then on it may reach the device) → done, failed, expired or
 * unknown. failed and expired: the device has not acted, or said no. unknown: nobody can tell.
 */
export const callStates = ["pending", "sent", "done", "failed", "expired", "unknown"] as const;
export type CallState = (typeof callStates)[number];
export type CallEnd = Exclude<CallState, "pending" | "sent">;

export function isCallEnd(state: CallState): state is CallEnd {
  return state !== "pending" && state !== "sent";
}

export interface CallArgument {
  readonly name: string;
  readonly type: ValueType;
  readonly value: Value;
}
/** A method on its way down. It is an act: carried out at most once, whatever is sent again. */
export interface MethodCall {
  /** 32 hex digits; the gateway remembers it, so that a call that comes twice is one call */
  readonly id: string;
  readonly device: DeviceUid;
  readonly method: string;
  /** checked by the cloud, and again by the gateway */
  readonly arguments: readonly CallArgument[];
  /** milliseconds left until its end when it was sent; counted on the receiver's own monotonic clock */
  readonly ttlMs: number;
}
/** What became of one property of a method that sets several. */
export interface CallStep {
  readonly property: string;
  readonly state: "written" | "failed" | "unknown" | "not tried";
  readonly reason: ErrorCode | null;
  readonly message: string | null;
}
/** How a call ended, as the gateway says; goes up the control lane, durable until the cloud has taken it. */
export interface CallReport {
  readonly id: string;
  readonly device: DeviceUid;
  readonly state: CallEnd;
  readonly reason: ErrorCode | null;
  readonly message: string | null;
  /** type of `value`; null = the method has no result */
  readonly type: ValueType | null;
  readonly value: Value;
  /** of a method that sets properties, in their order */
  readonly steps: readonly CallStep[];
  readonly time: Micros;
}
