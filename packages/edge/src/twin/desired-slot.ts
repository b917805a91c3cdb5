import type { DesiredReport, DeviceUid, ErrorCode, Micros, Value, ValueType } from "@penstock/model";

/** What the gateway knows of the desired value of one property. Plain data: it goes to the journal as it is. */
export interface Slot {
  readonly device: DeviceUid;
  readonly property: string;
  /** the highest version ever taken: the mark below which nothing is written, kept when all else is forgotten */
  readonly highest: number;
  /** the value on its way to the device, always of version `highest`; null when that has ended */
  readonly active: Active | null;
  /** how version `highest` ended; null while it is on its way */
  readonly end: DesiredReport | null;
  /** not yet taken by the cloud, oldest first; at most `reportsPerSlot` */
  readonly reports: readonly DesiredReport[];
  /** an access to the device is in flight, perhaps for an older version; only one at a time, so writes cannot overtake */
  readonly busy: boolean;
}

export interface Active {
  readonly version: number;
  readonly type: ValueType;
  readonly value: Value;
  readonly state: "pending" | "written";
  readonly next: "write" | "read";
  /** monotonic microseconds before which nothing is tried again; 0 = at once */
  readonly waitUntil: number;
  /** failed accesses in a row, for the back-off */
  readonly failures: number;
  /** how often another value was read back */
  readonly mismatches: number;
  readonly trouble: { readonly code: ErrorCode; readonly message: string } | null;
  readonly life: Life;
}

/**
 * When a desired value's time to live ends. Counted on the monotonic clock; wall time and the time left when last
 * journaled are kept for a restart, where the monotonic clock may have begun anew.
 */
export interface Life {
  readonly deadline: number;
  readonly wallDeadline: Micros;
  readonly journaledAt: number;
  readonly leftMs: number;
}

export interface Times {
  /** microseconds of the monotonic clock */
  readonly now: number;
  readonly time: Micros;
}

export function lifeOf(leftMs: number, { now, time }: Times): Life {
  return { deadline: now + leftMs * 1000, wallDeadline: (time + leftMs * 1000) as Micros, journaledAt: now, leftMs };
}

/** The life as seen now, to be journaled; an earlier deadline is kept, a later one never taken. */
export function lifeNow(life: Life, times: Times): Life {
  return lifeOf(Math.max(0, (life.deadline - times.now) / 1000), times);
}

/**
 * What is left after a restart: the least that any clock says. Too early an end is reported and can be set again; too
 * late a write would move a machine nobody expects to move.
 */
export function lifeAfterRestart(life: Life, times: Times): Life {
  const byWall = (life.wallDeadline - times.time) / 1000;
  // A monotonic clock below the journaled one has begun anew with the machine and says nothing.
  const byMonotonic = times.now >= life.journaledAt ? (life.deadline - times.now) / 1000 : life.leftMs;
  return lifeOf(Math.max(0, Math.min(life.leftMs, byWall, byMonotonic)), times);
}

export function slotKey(device: DeviceUid, property: string): string {
  return `${device}/${property}`;
}

/** The id that trace lines of a desired value carry. */
export function desiredId(of: {
  readonly device: DeviceUid;
  readonly property: string;
  readonly version: number;
}): string {
  return `${of.device}/${of.property}#${of.version}`;
}
