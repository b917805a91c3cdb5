import type { ConnectionUid, DeviceUid, ErrorCode } from "@penstock/model";
import type { LineState, ScheduledGroup, ScheduleLimits } from "./schedule-types.ts";

export interface GroupRecord extends ScheduledGroup {
  readonly of: DeviceRecord;
  dueAt: number;
  state: "idle" | "queued" | "reading" | "publishing";
  queuedAt: number;
  /** null = never read */
  isGood: boolean | null;
  code: ErrorCode | null;
}
export interface DeviceRecord {
  readonly uid: DeviceUid;
  readonly line: Line;
  readonly groups: Set<GroupRecord>;
  /** reads in a row that ended in silence */
  silences: number;
  code: ErrorCode | null;
  message: string | null;
  hasAnswered: boolean;
  answeredAt: number;
  probeGroup: GroupRecord | null;
  isReading: boolean;
  health: string;
}

/**
 * The groups of one connection that wait for it, and who goes next. Promise: a device that does not answer costs the
 * others one slot at a time. So a device whose last read ended in silence, or that never answered, is read alone: what
 * runs beside it in the mapper would spend its own deadline waiting. And it goes after those that answer, unless it has
 * been held back for long.
 */
export class Line {
  readonly uid: ConnectionUid;
  line: LineState = { state: "waiting" };
  lost: { readonly code: ErrorCode; readonly message: string } | null = null;
  lostAt = 0;
  readonly devices = new Set<DeviceRecord>();
  readonly #limits: ScheduleLimits;
  /** each group stands here at most once, so its bound is the number of groups */
  #queue: GroupRecord[] = [];
  #inFlight = 0;
  #isAlone = false;
  #lastWasAlone = false;

  constructor(uid: ConnectionUid, limits: ScheduleLimits) {
    this.uid = uid;
    this.#limits = limits;
  }

  enqueue(group: GroupRecord, now: number): void {
    group.state = "queued";
    group.queuedAt = now;
    this.#queue.push(group);
  }

  /** takes the next group that may be read now; null when none may */
  next(now: number): GroupRecord | null {
    if (this.line.state !== "up" || this.#isAlone || this.#inFlight >= this.#limits.inFlightPerLine) return null;
    const free = (group: GroupRecord) => !group.of.isReading;
    const steady = this.#queue.find((group) => free(group) && !isSuspect(group.of));
    const suspect = this.#queue.find((group) => free(group) && isSuspect(group.of));
    const isOverdue =
      suspect !== undefined && !this.#lastWasAlone && now - suspect.queuedAt >= this.#limits.probePatienceUs;
    if (steady !== undefined && !isOverdue) return this.#start(steady, false);
    if (suspect !== undefined && this.#inFlight === 0) return this.#start(suspect, true);
    return null;
  }

  ended(group: GroupRecord): void {
    this.#inFlight--;
    // Only one runs when one runs alone.
    this.#isAlone = false;
    group.of.isReading = false;
  }

  /** takes everything that waits */
  flush(): GroupRecord[] {
    const queued = this.#queue;
    this.#queue = [];
    return queued;
  }

  forget(group: GroupRecord): void {
    this.#queue = this.#queue.filter((other) => other !== group);
  }

  #start(group: GroupRecord, alone: boolean): GroupRecord {
    this.#queue.splice(this.#queue.indexOf(group), 1);
    this.#inFlight++;
    this.#isAlone = alone;
    this.#lastWasAlone = alone;
    group.state = "reading";
    group.of.isReading = true;
    return group;
  }
}

function isSuspect(device: DeviceRecord): boolean {
  return device.silences > 0 || !device.hasAnswered;
}
