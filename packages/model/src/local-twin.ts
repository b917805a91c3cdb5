import type { DesiredReport, DesiredState, PropertyHold } from "./desired.ts";
import type { ErrorCode } from "./errors.ts";
import type { DeviceUid, Micros } from "./ids.ts";
import type { CallArgument, CallReport } from "./method-call.ts";
import type { Reading } from "./reading.ts";
import type { Value, ValueType } from "./value.ts";

/** What the gateway's local API needs of twin: values and calls of the gateway itself, which work with no cloud in reach. */
export interface LocalTwin {
  /** the newest reading of each property that has had one */
  reported(device: DeviceUid): ReadonlyMap<string, Reading>;
  /** of properties that were ever set */
  desired(device: DeviceUid): readonly DesiredProgress[];
  /** all that stand now */
  holds(): readonly PropertyHold[];
  /**
   * Takes a value set at the gateway; it is on disk when this resolves. What becomes of it follows from the property's
   * `localWrites`.
   *
   * @returns what resolves with its end; never rejects while the gateway runs
   * @throws AppError data/…, request/too-many when too many properties are held
   */
  setLocally(write: LocalWrite): Promise<{ readonly ended: Promise<LocalEnd> }>;
  /** what waits of the cloud goes on; false when nobody held it */
  release(device: DeviceUid, property: string): Promise<boolean>;
  /** at most once; nothing is kept of it, who asks gets the answer or none. Never rejects: every trouble is an end */
  callHere(call: LocalCall): Promise<CallOutcome>;
}

/** A value set at the gateway. */
export interface LocalWrite {
  readonly device: DeviceUid;
  readonly property: string;
  readonly type: ValueType;
  readonly value: Value;
  readonly holder: string;
  /** how long it may take until it is confirmed */
  readonly ttlMs: number;
  /** how long it holds, where it does; null = until it is released */
  readonly holdMs: number | null;
}
/** How a value set at the gateway ended, and when it made its steps. */
export interface LocalEnd extends Omit<DesiredReport, "version"> {
  readonly takenAt: Micros | null;
  readonly writtenAt: Micros | null;
}
export interface LocalCall {
  readonly device: DeviceUid;
  readonly method: string;
  readonly arguments: readonly CallArgument[];
  readonly ttlMs: number;
}
/** How a call ended, without who asked and when. */
export type CallOutcome = Pick<CallReport, "state" | "reason" | "message" | "type" | "value" | "steps">;

/** Where a value stands on its way to the device, and when it made each step. */
export interface ValueProgress {
  readonly state: DesiredState;
  readonly type: ValueType;
  /** what was wanted; null once it has ended */
  readonly value: Value;
  readonly reason: ErrorCode | null;
  readonly message: string | null;
  /** what the device held in the end; null while it is on its way */
  readonly readBack: Value;
  readonly takenAt: Micros | null;
  readonly writtenAt: Micros | null;
  readonly endedAt: Micros | null;
}
/** The values that are wanted of one property. */
export interface DesiredProgress {
  readonly property: string;
  /** highest of the cloud; 0 = it never set one */
  readonly version: number;
  /** of the cloud; null when it never set one */
  readonly cloud: ValueProgress | null;
  /** set at the gateway; null when nobody did */
  readonly local: ValueProgress | null;
  readonly hold: PropertyHold | null;
}
