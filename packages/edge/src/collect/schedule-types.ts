import type { ConnectionUid, DeviceHealth, DeviceUid, ErrorCode, LineSettings } from "@penstock/model";

/** Properties of one device that share a cycle; what is read at once. */
export interface ScheduledGroup {
  readonly id: number;
  readonly device: DeviceUid;
  readonly connection: ConnectionUid;
  /** null = it is due when "due" says so, or is subscribed to */
  readonly everyUs: number | null;
  /** its device tells changes by itself: "read" then means to ask it to */
  readonly isSubscribed?: boolean;
}

/** How a read ended. A failure says why; `hasRows` = the mapper gave rows that say so themselves. */
export interface Outcome {
  readonly code: ErrorCode | null;
  readonly message: string | null;
  readonly hasRows: boolean;
}

/** waiting: its mapper is starting for the first time, cycles wait; down: cycles are published bad */
export type LineState =
  | { readonly state: "waiting" | "up" }
  | { readonly state: "down"; readonly code: ErrorCode; readonly message: string };

export type ScheduleInput =
  /** offlineAfterUs: offline when nothing was heard of it for so long; null = after two silences in a row */
  | {
      readonly t: "add-device";
      readonly device: DeviceUid;
      readonly connection: ConnectionUid;
      readonly offlineAfterUs: number | null;
    }
  | { readonly t: "remove-device"; readonly device: DeviceUid }
  | { readonly t: "add"; readonly group: ScheduledGroup }
  | { readonly t: "line"; readonly connection: ConnectionUid; readonly line: LineState }
  | { readonly t: "settings"; readonly connection: ConnectionUid; readonly settings: LineSettings }
  | { readonly t: "remove-line"; readonly connection: ConnectionUid }
  /** what the mapper says of the connection itself */
  | {
      readonly t: "connection";
      readonly connection: ConnectionUid;
      readonly lost: { readonly code: ErrorCode; readonly message: string } | null;
    }
  /** the read is over; the group stays busy until its rows are published. Of a subscription: agreed, and it has begun */
  | { readonly t: "answered"; readonly group: number; readonly outcome: Outcome }
  | { readonly t: "published"; readonly group: number }
  /** changes came of a group that is subscribed to; the code when every row is bad for it */
  | { readonly t: "news"; readonly group: number; readonly code: ErrorCode | null }
  /** a subscription is over by itself */
  | { readonly t: "ended"; readonly group: number; readonly code: ErrorCode; readonly message: string }
  /** a group without a cycle time of its own */
  | { readonly t: "due"; readonly group: number }
  /** somebody wants to write to a device, read something back from it, or call it; the number is theirs */
  | { readonly t: "act"; readonly act: number; readonly device: DeviceUid }
  /** it is over, or is not wanted any more */
  | { readonly t: "acted"; readonly act: number; readonly code: ErrorCode | null }
  | { readonly t: "tick" };

export type ScheduleEffect =
  | { readonly t: "read"; readonly group: number }
  /** every property of the group: value null, quality bad, this reason */
  | { readonly t: "publish-bad"; readonly group: number; readonly code: ErrorCode }
  /** it is the act's turn */
  | { readonly t: "act"; readonly act: number }
  /** this many cycles were due and did not run; isSilent: because the device does not answer */
  | { readonly t: "overrun"; readonly group: number; readonly cycles: number; readonly isSilent: boolean }
  | { readonly t: "health"; readonly health: DeviceHealth };

export interface ScheduleLimits {
  /** groups in flight on one connection that is collected asynchronously, and acts beside them; more where the line takes more */
  readonly inFlightPerLine: number;
  /** how long a silent device's read may be held back by those of others */
  readonly probePatienceUs: number;
}

export const scheduleLimits: ScheduleLimits = {
  inFlightPerLine: 4,
  probePatienceUs: 5_000_000,
};
