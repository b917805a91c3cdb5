import { type ConnectionUid, type DeviceUid, defaultLine, type ErrorCode, type LineSettings } from "@penstock/model";
import { isOnlyProbed } from "./presence.ts";
import type { LineState, ScheduledGroup, ScheduleLimits } from "./schedule-types.ts";

export interface GroupRecord extends ScheduledGroup {
  readonly of: DeviceRecord;
  dueAt: number;
  /** subscribed: nothing is asked, the device tells changes */
  state: "idle" | "queued" | "reading" | "publishing" | "subscribed";
  /** its next cycle is due already, and begins when this one has ended */
  isLate: boolean;
  /** null = never read */
  isGood: boolean | null;
  code: ErrorCode | null;
  /** subscriptions in a row that failed */
  failures: number;
}
export interface DeviceRecord {
  readonly uid: DeviceUid;
  readonly line: Line;
  readonly groups: Set<GroupRecord>;
  readonly offlineAfterUs: number | null;
  readonly addedAt: number;
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
/** What waits for the line: a group's read, or an act (a write, a read back, a call), known by its number. */
export type Turn =
  | { readonly kind: "read"; readonly device: DeviceRecord; readonly group: GroupRecord; readonly queuedAt: number }
  | { readonly kind: "act"; readonly device: DeviceRecord; readonly act: number; readonly queuedAt: number };

/** Of the line's time, silent devices get one part in so many while others answer. */
const partOfSilent = 5;

/**
 * What waits for one connection, and who goes next. Promises:
 *
 * - A device that does not answer costs the others one slot at a time, and all silent devices together at most a fifth of
 *   the line's time. So a device whose last read ended in silence, or that never answered, is asked alone: what runs beside
 *   it in the mapper would spend its own deadline waiting. It goes after those that answer, unless held back for long.
 * - First come, first served among those that answer. A group that answers thus waits at most (S + T) ÷ 0.8, where T is the
 *   time of one read of every group of the line and S one slot of a silent device.
 * - sync: one read or act at a time, and in turn when both wait. async: up to so many reads and, beside them, so many acts,
 *   so that neither waits for the other.
 *
 * A group stands in the queue at most once; acts are bounded by who hands them in.
 */
export class Line {
  readonly uid: ConnectionUid;
  settings: LineSettings = defaultLine;
  line: LineState = { state: "waiting" };
  lost: { readonly code: ErrorCode; readonly message: string } | null = null;
  lostAt = 0;
  readonly devices = new Set<DeviceRecord>();
  readonly #limits: ScheduleLimits;
  readonly #out = { read: 0, act: 0 };
  #queue: Turn[] = [];
  /** when the read or act began that runs alone */
  #aloneSince: number | null = null;
  #lastWasAlone = false;
  #lastKind: Turn["kind"] = "act";
  /** no device that is only probed is asked before this while others answer */
  #silentFrom = 0;

  constructor(uid: ConnectionUid, limits: ScheduleLimits) {
    this.uid = uid;
    this.#limits = limits;
  }

  enqueue(turn: Turn): void {
    if (turn.kind === "read") turn.group.state = "queued";
    this.#queue.push(turn);
  }

  /** takes what may run now; null when nothing may */
  next(now: number): Turn | null {
    if (this.line.state !== "up" || this.#aloneSince !== null || this.#queue.length === 0) return null;
    const steady = this.#nextSteady();
    const suspect = this.#queue.find((turn) => isFree(turn) && isSuspect(turn.device));
    if (suspect !== undefined && this.#mayAsk(suspect.device, now)) {
      const isOverdue = !this.#lastWasAlone && now - suspect.queuedAt >= this.#limits.probePatienceUs;
      const isIdle = this.#out.read + this.#out.act === 0;
      if (isIdle && (steady === null || isOverdue)) return this.#start(suspect, now);
      if (isOverdue) return null;
    }
    return steady === null ? null : this.#start(steady, null);
  }

  /** when a silent device may be asked that waits for its part of the time; null when none does */
  wakesAt(now: number): number | null {
    const isHeld = this.#silentFrom > now && this.#queue.some(({ device }) => isOnlyProbed(device));
    return isHeld && this.line.state === "up" ? this.#silentFrom : null;
  }

  /** when this silent device may be asked; null = now */
  heldUntil(device: DeviceRecord, now: number): number | null {
    return this.#mayAsk(device, now) ? null : this.#silentFrom;
  }

  /** @param wasSilent it got no answer */
  ended(turn: { readonly kind: Turn["kind"]; readonly device: DeviceRecord }, now: number, wasSilent: boolean): void {
    this.#out[turn.kind]--;
    // Only one runs when one runs alone.
    if (this.#aloneSince !== null && wasSilent) this.#silentFrom = now + (now - this.#aloneSince) * (partOfSilent - 1);
    this.#aloneSince = null;
    if (turn.kind === "read") turn.device.isReading = false;
  }

  /** takes everything that waits */
  flush(): Turn[] {
    const queued = this.#queue;
    this.#queue = [];
    return queued;
  }

  /** takes out what is not to run any more */
  withdraw(isIt: (turn: Turn) => boolean): Turn[] {
    const gone = this.#queue.filter(isIt);
    if (gone.length > 0) this.#queue = this.#queue.filter((turn) => !isIt(turn));
    return gone;
  }

  #nextSteady(): Turn | null {
    const { collection, inFlight } = this.settings;
    const isSync = collection === "sync";
    const most = isSync ? 1 : Math.max(this.#limits.inFlightPerLine, inFlight);
    const isTaken = isSync && this.#out.read + this.#out.act > 0;
    const of = (kind: Turn["kind"]) =>
      isTaken || this.#out[kind] >= most
        ? undefined
        : this.#queue.find((turn) => turn.kind === kind && isFree(turn) && !isSuspect(turn.device));
    const other = this.#lastKind === "read" ? "act" : "read";
    return of(other) ?? of(this.#lastKind) ?? null;
  }

  #mayAsk(device: DeviceRecord, now: number): boolean {
    if (!isOnlyProbed(device) || now >= this.#silentFrom) return true;
    return ![...this.devices].some((one) => one.hasAnswered && one.silences === 0);
  }

  #start(turn: Turn, aloneSince: number | null): Turn {
    this.#queue.splice(this.#queue.indexOf(turn), 1);
    this.#out[turn.kind]++;
    this.#aloneSince = aloneSince;
    this.#lastWasAlone = aloneSince !== null;
    this.#lastKind = turn.kind;
    if (turn.kind === "read") {
      turn.group.state = "reading";
      turn.device.isReading = true;
    }
    return turn;
  }
}

/** One read of a device at a time. */
function isFree(turn: Turn): boolean {
  return turn.kind === "act" || !turn.device.isReading;
}

function isSuspect(device: DeviceRecord): boolean {
  return device.silences > 0 || (!device.hasAnswered && device.groups.size > 0);
}
