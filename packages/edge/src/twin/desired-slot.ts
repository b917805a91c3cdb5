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
  readonly end: End | null;
  /** a value set here keeps the cloud's waiting; null = nobody holds */
  readonly hold: Hold | null;
  /** a value set here, on its way to the device; goes before `active`. Its version is below 0, where the cloud has none */
  readonly local: Active | null;
  readonly localEnd: End | null;
  /** not yet taken by the cloud, oldest first; at most `reportsPerSlot` */
  readonly reports: readonly DesiredReport[];
  /** an access to the device is in flight, perhaps for an older version; only one at a time, so writes cannot overtake */
  readonly busy: boolean;
}

/** How a version ended, and when it made its steps. */
export interface End extends DesiredReport {
  readonly takenAt: Micros | null;
  readonly writtenAt: Micros | null;
}

export interface Hold {
  readonly holder: string;
  readonly type: ValueType;
  readonly value: Value;
  readonly since: Micros;
  /** null = until it is released */
  readonly life: Life | null;
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
  /** when it was on disk here; null where an earlier agent did not note it */
  readonly takenAt: Micros | null;
  readonly writtenAt: Micros | null;
}

/**
 * When a desired value's time to live ends. Counted on the monotonic clock; wall time and the time left when last
 * journaled are kept for a restart of the machine, where the monotonic clock begins anew.
 */
export interface Life {
  /** the boot of the machine whose monotonic clock it is; null where the system does not say */
  readonly boot: string | null;
  readonly deadline: number;
  readonly wallDeadline: Micros;
  readonly journaledAt: number;
  readonly leftMs: number;
}

export interface Times {
  /** microseconds of the monotonic clock */
  readonly now: number;
  readonly time: Micros;
  /** the machine's boot that the monotonic clock belongs to; null where the system does not say */
  readonly boot: string | null;
}

export function lifeOf(leftMs: number, { now, time, boot }: Times): Life {
  return {
    boot,
    deadline: now + leftMs * 1000,
    wallDeadline: (time + leftMs * 1000) as Micros,
    journaledAt: now,
    leftMs,
  };
}

/** The life as seen now, to be journaled; an earlier deadline is kept, a later one never taken. */
export function lifeNow(life: Life, times: Times): Life {
  return lifeOf(Math.max(0, (life.deadline - times.now) / 1000), times);
}

/** The lives that run in this slot. */
export function livesOf({ active, local, hold }: Slot): readonly Life[] {
  return [active?.life, local?.life, hold?.life].filter((life) => life !== undefined && life !== null);
}

export function emptySlot(device: DeviceUid, property: string): Slot {
  const nothing = { active: null, end: null, hold: null, local: null, localEnd: null };
  return { device, property, highest: 0, ...nothing, reports: [], busy: false };
}

/** What goes to the device next: a value set here first, and while it is held nothing of the cloud. */
export function drivenOf(slot: Slot): Active | null {
  return slot.local ?? (slot.hold === null ? slot.active : null);
}

/** The value on its way that has this version, wherever it was set. */
export function activeOf(slot: Slot, version: number): Active | null {
  const active = version < 0 ? slot.local : slot.active;
  return active?.version === version ? active : null;
}

export function withActive(slot: Slot, active: Active): Slot {
  return active.version < 0 ? { ...slot, local: active } : { ...slot, active };
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
