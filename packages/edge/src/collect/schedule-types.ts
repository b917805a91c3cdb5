import type { ConnectionUid, DeviceHealth, DeviceUid, ErrorCode } from "@penstock/model";

/** Properties of one device that share a cycle; what is read at once. */
export interface ScheduledGroup {
  readonly id: number;
  readonly device: DeviceUid;
  readonly connection: ConnectionUid;
  readonly everyUs: number;
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
  | { readonly t: "add-device"; readonly device: DeviceUid; readonly connection: ConnectionUid }
  | { readonly t: "remove-device"; readonly device: DeviceUid }
  | { readonly t: "add"; readonly group: ScheduledGroup }
  | { readonly t: "line"; readonly connection: ConnectionUid; readonly line: LineState }
  | { readonly t: "remove-line"; readonly connection: ConnectionUid }
  /** what the mapper says of the connection itself */
  | {
      readonly t: "connection";
      readonly connection: ConnectionUid;
      readonly lost: { readonly code: ErrorCode; readonly message: string } | null;
    }
  /** the read is over; the group stays busy until its rows are published */
  | { readonly t: "answered"; readonly group: number; readonly outcome: Outcome }
  | { readonly t: "published"; readonly group: number }
  | { readonly t: "tick" };

export type ScheduleEffect =
  | { readonly t: "read"; readonly group: number }
  /** every property of the group: value null, quality bad, this reason */
  | { readonly t: "publish-bad"; readonly group: number; readonly code: ErrorCode }
  /** this many cycles were due and did not run */
  | { readonly t: "overrun"; readonly group: number; readonly cycles: number }
  | { readonly t: "health"; readonly health: DeviceHealth };

export interface ScheduleLimits {
  /** groups in flight on one connection */
  readonly inFlightPerLine: number;
  /** a device that was silent this often in a row is only probed */
  readonly silencesUntilOffline: number;
  readonly probeAfterUs: number;
  readonly probeAtMostUs: number;
  /** how long a silent device's read may be held back by those of others */
  readonly probePatienceUs: number;
}

export const scheduleLimits: ScheduleLimits = {
  inFlightPerLine: 4,
  silencesUntilOffline: 2,
  probeAfterUs: 1_000_000,
  probeAtMostUs: 30_000_000,
  probePatienceUs: 5_000_000,
};
