import type { ConnectionUid, DeviceHealth, DeviceUid, ErrorCode } from "@penstock/model";
import { DueTimes } from "./due-times.ts";
import { type DeviceRecord, type GroupRecord, Line } from "./line.ts";
import { firstDue, nextDue } from "./phase.ts";
import {
  type Outcome,
  type ScheduledGroup,
  type ScheduleEffect,
  type ScheduleInput,
  type ScheduleLimits,
  scheduleLimits,
} from "./schedule-types.ts";

/** Reasons that mean nobody answered. Any other failure is an answer: the device is there. */
const silences: ReadonlySet<ErrorCode> = new Set([
  "mapper/timeout",
  "mapper/gateway-no-response",
  "mapper/connect-failed",
  "mapper/connection-lost",
]);

export function isSilence(code: ErrorCode): boolean {
  return silences.has(code);
}

/**
 * Decides what is read when. It does nothing itself: `step` takes what happened and gives what to do; equal inputs at
 * equal times give equal effects. Times are microseconds of a monotonic clock. Its records change in place, since a
 * gateway steps thousands of times a second.
 *
 * Duty of the caller: every "read" is followed by one "answered", which gives "publish-bad" unless the mapper gave rows;
 * every publication by one "published"; and "tick" comes at `nextAt`.
 */
export class Schedule {
  readonly #limits: ScheduleLimits;
  readonly #lines = new Map<ConnectionUid, Line>();
  readonly #devices = new Map<DeviceUid, DeviceRecord>();
  readonly #groups = new Map<number, GroupRecord>();
  readonly #due = new DueTimes();
  #effects: ScheduleEffect[] = [];
  #now = 0;

  constructor(limits: ScheduleLimits = scheduleLimits) {
    this.#limits = limits;
  }

  step(input: ScheduleInput, now: number): readonly ScheduleEffect[] {
    this.#effects = [];
    this.#now = now;
    this.#take(input);
    return this.#effects;
  }

  nextAt(): number | null {
    return this.#due.next();
  }

  health(): DeviceHealth[] {
    return [...this.#devices.values()].map((device) => this.#healthOf(device));
  }

  #take(input: ScheduleInput): void {
    switch (input.t) {
      case "add-device":
        this.#addDevice(input.device, this.#lineOf(input.connection));
        break;
      case "remove-device":
        this.#removeDevice(input.device);
        break;
      case "add":
        this.#addGroup(input.group);
        break;
      case "line":
        this.#lineChanged(this.#lineOf(input.connection), input.line);
        break;
      case "remove-line":
        this.#lines.delete(input.connection);
        break;
      case "connection":
        this.#connectionChanged(this.#lineOf(input.connection), input.lost);
        break;
      case "answered":
        this.#answered(input.group, input.outcome);
        break;
      case "published":
        this.#published(input.group);
        break;
      case "tick":
        this.#tick();
        break;
      default:
        input satisfies never;
    }
  }

  #lineOf(uid: ConnectionUid): Line {
    let line = this.#lines.get(uid);
    if (line === undefined) {
      line = new Line(uid, this.#limits);
      this.#lines.set(uid, line);
    }
    return line;
  }

  #addDevice(uid: DeviceUid, line: Line): void {
    const device: DeviceRecord = {
      uid,
      line,
      groups: new Set(),
      silences: 0,
      code: null,
      message: null,
      hasAnswered: false,
      answeredAt: 0,
      probeGroup: null,
      isReading: false,
      health: "",
    };
    this.#devices.set(uid, device);
    line.devices.add(device);
    this.#tellHealth(device);
  }

  #addGroup(group: ScheduledGroup): void {
    const of = this.#devices.get(group.device);
    if (of === undefined) throw new Error(`Cannot add group ${group.id}: no device "${group.device}"`);
    const dueAt = firstDue(group.device, group.everyUs, this.#now);
    const record: GroupRecord = { ...group, of, dueAt, state: "idle", queuedAt: 0, isGood: null, code: null };
    this.#groups.set(group.id, record);
    of.groups.add(record);
    this.#due.set(`g${group.id}`, dueAt);
  }

  #removeDevice(uid: DeviceUid): void {
    const device = this.#devices.get(uid);
    if (device === undefined) return;
    this.#devices.delete(uid);
    this.#due.remove(`d${uid}`);
    device.line.devices.delete(device);
    for (const group of device.groups) {
      this.#due.remove(`g${group.id}`);
      device.line.forget(group);
      // A read in flight still fills its place on the line until it is answered.
      if (group.state !== "reading") this.#groups.delete(group.id);
    }
  }

  #tick(): void {
    for (let key = this.#due.take(this.#now); key !== null; key = this.#due.take(this.#now)) {
      if (key.startsWith("g")) this.#cycle(this.#groups.get(Number(key.slice(1)))!);
      else this.#probe(this.#devices.get(key.slice(1) as DeviceUid)!);
    }
    for (const line of this.#lines.values()) this.#startReads(line);
  }

  #cycle(group: GroupRecord): void {
    const { of: device } = group;
    // After a stall the cycles that were missed are counted, never made up for.
    const missed = Math.floor((this.#now - group.dueAt) / group.everyUs);
    group.dueAt = nextDue(group.device, group.everyUs, this.#now);
    this.#due.set(`g${group.id}`, group.dueAt);
    const { line } = device.line;
    const isBusy = group.state !== "idle" && !(group.state === "queued" && line.state === "waiting");
    const cycles = missed + (isBusy ? 1 : 0);
    if (cycles > 0) this.#effects.push({ t: "overrun", group: group.id, cycles });
    if (group.state !== "idle") return;
    if (line.state === "down") this.#publishBad(group, line.code);
    else if (this.#isOnlyProbed(device)) this.#publishBad(group, device.code ?? "mapper/timeout");
    else device.line.enqueue(group, this.#now);
  }

  #isOnlyProbed(device: DeviceRecord): boolean {
    return device.silences >= this.#limits.silencesUntilOffline;
  }

  /** The read that finds out whether a silent device is back; besides, an hourly value is not missed for one lost answer. */
  #probe(device: DeviceRecord): void {
    const group = device.probeGroup;
    if (group === null || device.silences === 0) return;
    if (group.state === "idle" && device.line.line.state === "up") device.line.enqueue(group, this.#now);
    else if (group.state === "publishing") this.#due.set(`d${device.uid}`, this.#now + this.#limits.probeAfterUs);
  }

  #answered(id: number, { code, message, hasRows }: Outcome): void {
    const group = this.#groups.get(id);
    if (group === undefined) return;
    const { of: device } = group;
    device.line.ended(group);
    if (!device.groups.has(group) || this.#devices.get(device.uid) !== device) {
      this.#groups.delete(id);
      this.#startReads(device.line);
      return;
    }
    group.isGood = code === null;
    group.code = code;
    group.state = "publishing";
    if (!hasRows) this.#effects.push({ t: "publish-bad", group: id, code: code ?? "internal" });
    if (code !== null && isSilence(code)) this.#silent(device, group, code, message);
    else if (code !== "mapper/stopped") this.#heard(device, code, message);
    this.#tellHealth(device);
    this.#startReads(device.line);
  }

  #published(id: number): void {
    const group = this.#groups.get(id);
    if (group?.state === "publishing") group.state = "idle";
  }

  #silent(device: DeviceRecord, group: GroupRecord, code: ErrorCode, message: string | null): void {
    device.silences++;
    device.code = code;
    device.message = message;
    device.probeGroup = group;
    const { probeAfterUs, probeAtMostUs } = this.#limits;
    const after = Math.min(probeAtMostUs, probeAfterUs * 2 ** Math.min(device.silences - 1, 30));
    this.#due.set(`d${device.uid}`, this.#now + after);
  }

  #heard(device: DeviceRecord, code: ErrorCode | null, message: string | null): void {
    const wasSilent = device.silences > 0;
    device.silences = 0;
    device.code = code;
    device.message = message;
    device.hasAnswered = true;
    device.answeredAt = this.#now;
    device.probeGroup = null;
    this.#due.remove(`d${device.uid}`);
    if (wasSilent) this.#readAgain(device);
  }

  /** Groups whose last rows were bad for a reason that has just gone. */
  #readAgain(device: DeviceRecord): void {
    for (const group of device.groups) {
      const isBad = group.isGood === false && (group.code === null || isSilence(group.code) || isOfLine(group.code));
      if (isBad && group.state === "idle") device.line.enqueue(group, this.#now);
    }
  }

  #lineChanged(line: Line, to: Line["line"]): void {
    line.line = to;
    line.lost = null;
    if (to.state === "down") for (const group of line.flush()) this.#publishBad(group, to.code);
    if (to.state === "up") {
      for (const device of line.devices) {
        device.silences = 0;
        this.#readAgain(device);
      }
    }
    for (const device of line.devices) this.#tellHealth(device);
    this.#startReads(line);
  }

  #connectionChanged(line: Line, lost: Line["lost"]): void {
    line.lost = lost;
    line.lostAt = this.#now;
    for (const device of line.devices) {
      if (lost === null) this.#probe(device);
      this.#tellHealth(device);
    }
    this.#startReads(line);
  }

  #publishBad(group: GroupRecord, code: ErrorCode): void {
    group.state = "publishing";
    group.isGood = false;
    group.code = code;
    this.#effects.push({ t: "publish-bad", group: group.id, code });
  }

  #startReads(line: Line): void {
    for (let group = line.next(this.#now); group !== null; group = line.next(this.#now)) {
      this.#effects.push({ t: "read", group: group.id });
    }
  }

  #healthOf(device: DeviceRecord): DeviceHealth {
    const { uid, line, code, message } = device;
    const { lost } = line;
    if (line.line.state === "down") {
      return { device: uid, state: "offline", reason: line.line.code, message: line.line.message };
    }
    if (this.#isOnlyProbed(device)) return { device: uid, state: "offline", reason: code, message };
    if (lost !== null && (!device.hasAnswered || device.answeredAt <= line.lostAt)) {
      return { device: uid, state: "offline", reason: lost.code, message: lost.message };
    }
    return { device: uid, state: device.hasAnswered ? "online" : "unknown", reason: code, message };
  }

  #tellHealth(device: DeviceRecord): void {
    const health = this.#healthOf(device);
    const short = `${health.state} ${health.reason}`;
    if (short === device.health) return;
    device.health = short;
    this.#effects.push({ t: "health", health });
  }
}

function isOfLine(code: ErrorCode): boolean {
  return code === "mapper/stopped" || code === "mapper/not-found" || code === "mapper/wrong-version";
}
