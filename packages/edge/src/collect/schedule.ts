import type { ConnectionUid, DeviceHealth, DeviceUid, ErrorCode, LineHealth } from "@penstock/model";
import { DeviceWatch } from "./device-watch.ts";
import { type DeviceRecord, type GroupRecord, Line, type Turn } from "./line.ts";
import { firstDue, nextDue } from "./phase.ts";
import { healthOf, isOnlyProbed, isSilence, silencesUntilOffline } from "./presence.ts";
import { ScheduleStep } from "./schedule-step.ts";
import {
  type Outcome,
  type ScheduledGroup,
  type ScheduleEffect,
  type ScheduleInput,
  type ScheduleLimits,
  scheduleLimits,
} from "./schedule-types.ts";

/**
 * Decides what is read when. It does nothing itself: `step` takes what happened and gives what to do; equal inputs at
 * equal times give equal effects. Times are microseconds of a monotonic clock. Its records change in place, since a
 * gateway steps thousands of times a second.
 *
 * A device is offline at once while its mapper is down. Otherwise: after two silences in a row, so at the latest after one
 * cycle, two read deadlines and the line's first back-off; or, where it has `offlineAfterUs`, exactly so long after its
 * last answer. It is online again at its first answer. A silent device is asked again after the line's first back-off,
 * doubled up to the longest; with many silent ones on a line later, since together they get a fifth of its time.
 *
 * A cycle that is due while the one before has not ended begins when that has, so a stall of less than a cycle costs no
 * values; the times of the cycles after it do not move. What is due besides is skipped, and counted as overrun.
 *
 * Duty of the caller: every "read" is followed by one "answered", which gives "publish-bad" unless the mapper gave rows;
 * every publication by one "published"; every "act" by one "acted"; and "tick" comes at `nextAt`.
 */
export class Schedule {
  readonly #limits: ScheduleLimits;
  readonly #lines = new Map<ConnectionUid, Line>();
  readonly #devices = new Map<DeviceUid, DeviceRecord>();
  readonly #groups = new Map<number, GroupRecord>();
  readonly #step = new ScheduleStep();
  readonly #watch = new DeviceWatch(this.#step);
  readonly #acts = new Map<number, { readonly device: DeviceRecord; hasTurn: boolean }>();

  constructor(limits: ScheduleLimits = scheduleLimits) {
    this.#limits = limits;
  }

  step(input: ScheduleInput, now: number): readonly ScheduleEffect[] {
    this.#step.begin(now);
    this.#take(input);
    return this.#step.effects;
  }

  nextAt(): number | null {
    return this.#step.due.next();
  }

  health(): DeviceHealth[] {
    return [...this.#devices.values()].map((device) => healthOf(device, this.#step.now));
  }

  /** state of each line that was told of */
  lines(): Pick<LineHealth, "connection" | "state" | "reason" | "message">[] {
    return [...this.#lines.values()].map(({ uid: connection, line, lost }) => {
      const why = line.state === "down" ? line : lost;
      if (why === null) return { connection, state: line.state, reason: null, message: null };
      return { connection, state: "down", reason: why.code, message: why.message };
    });
  }

  #take(input: ScheduleInput): void {
    switch (input.t) {
      case "add-device":
        this.#addDevice(input);
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
      case "settings":
        this.#lineOf(input.connection).settings = input.settings;
        break;
      case "due": {
        const group = this.#groups.get(input.group);
        if (group === undefined) break;
        this.#cycle(group, 0);
        this.#startTurns(group.of.line);
        break;
      }
      case "act":
        this.#act(input.act, input.device);
        break;
      case "acted":
        this.#acted(input.act, input.code);
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
      case "news":
        this.#news(input.group, input.code);
        break;
      case "ended":
        this.#ended(input.group, input.code, input.message);
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

  #addDevice({ device: uid, connection, offlineAfterUs }: Extract<ScheduleInput, { readonly t: "add-device" }>): void {
    const line = this.#lineOf(connection);
    const device: DeviceRecord = {
      ...{ uid, line, groups: new Set(), offlineAfterUs, addedAt: this.#step.now },
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
    if (offlineAfterUs !== null) this.#step.due.set(`o${uid}`, this.#step.now + offlineAfterUs);
    this.#watch.tellHealth(device);
  }

  #addGroup(group: ScheduledGroup): void {
    const of = this.#devices.get(group.device);
    if (of === undefined) throw new Error(`Cannot add group ${group.id}: no device "${group.device}"`);
    const { device, everyUs, isSubscribed = false } = group;
    const dueAt = everyUs === null && !isSubscribed ? 0 : firstDue(device, everyUs ?? 1_000_000, this.#step.now);
    const fresh = { isLate: false, isGood: null, code: null, failures: 0 };
    const record: GroupRecord = { ...group, of, dueAt, state: "idle", ...fresh };
    this.#groups.set(group.id, record);
    of.groups.add(record);
    if (everyUs !== null) this.#step.due.set(`g${group.id}`, dueAt);
    if (isSubscribed) this.#step.due.set(`s${group.id}`, dueAt);
  }

  #removeDevice(uid: DeviceUid): void {
    const device = this.#devices.get(uid);
    if (device === undefined) return;
    this.#devices.delete(uid);
    this.#step.due.remove(`d${uid}`);
    this.#step.due.remove(`o${uid}`);
    device.line.devices.delete(device);
    // Whoever waits to act finds out by himself that there is no such device.
    for (const turn of device.line.withdraw((turn) => turn.device === device)) this.#grant(turn);
    for (const group of device.groups) {
      this.#step.due.remove(`g${group.id}`);
      this.#step.due.remove(`s${group.id}`);
      // A read in flight still fills its place on the line until it is answered.
      if (group.state !== "reading") this.#groups.delete(group.id);
    }
  }

  #tick(): void {
    for (let key = this.#step.due.take(this.#step.now); key !== null; key = this.#step.due.take(this.#step.now)) {
      const name = key.slice(1);
      if (key.startsWith("g")) this.#cycleInSteps(this.#groups.get(Number(name))!);
      else if (key.startsWith("s")) this.#subscribe(this.#groups.get(Number(name))!);
      else if (key.startsWith("d")) this.#watch.probe(this.#devices.get(name as DeviceUid)!);
      else if (key.startsWith("o")) this.#watch.maybeOffline(this.#devices.get(name as DeviceUid)!);
    }
    for (const line of this.#lines.values()) this.#startTurns(line);
  }

  #cycleInSteps(group: GroupRecord): void {
    const everyUs = group.everyUs!;
    // After a stall the cycles that were missed are counted, never made up for.
    const missed = Math.floor((this.#step.now - group.dueAt) / everyUs);
    group.dueAt = nextDue(group.device, everyUs, this.#step.now);
    this.#step.due.set(`g${group.id}`, group.dueAt);
    this.#cycle(group, missed);
  }

  #cycle(group: GroupRecord, missed: number): void {
    const { of: device } = group;
    const { line } = device.line;
    const isBusy = group.state !== "idle" && !(group.state === "queued" && line.state === "waiting");
    const isSilent = device.silences > 0;
    const mayWait = isBusy && !isSilent && !group.isLate;
    if (mayWait) group.isLate = true;
    const cycles = missed + (isBusy && !mayWait ? 1 : 0);
    if (cycles > 0) this.#step.effects.push({ t: "overrun", group: group.id, cycles, isSilent });
    if (group.state !== "idle") return;
    if (line.state === "down") this.#step.publishBad(group, line.code);
    else if (isOnlyProbed(device)) this.#step.publishBad(group, device.code ?? "mapper/timeout");
    else this.#step.enqueue(group);
  }

  /** Asks for a subscription, or again for one; one that cannot be asked for now is looked at again. */
  #subscribe(group: GroupRecord): void {
    const { of: device } = group;
    const { line } = device.line;
    if (group.state === "subscribed" || group.state === "queued" || group.state === "reading") return;
    if (line.state === "down") {
      if (group.isGood !== false) this.#step.publishBad(group, line.code);
    } else if (group.state === "idle" && (!isOnlyProbed(device) || device.probeGroup === group))
      this.#step.enqueue(group);
    else this.#subscribeLater(group);
  }

  #subscribeLater(group: GroupRecord): void {
    const { backOffFirstMs, backOffLongestMs } = group.of.line.settings;
    const backOffMs = Math.min(backOffLongestMs, backOffFirstMs * 2 ** Math.min(group.failures, 30));
    this.#step.due.set(`s${group.id}`, this.#step.now + backOffMs * 1000);
  }

  #news(id: number, code: ErrorCode | null): void {
    const group = this.#groups.get(id);
    if (group === undefined || this.#devices.get(group.device) !== group.of) return;
    const { of: device } = group;
    if (code === null || !isSilence(code)) this.#watch.heard(device, code, null);
    else {
      // Somebody else says that it is gone and will say when it is back: nobody has to ask.
      device.silences = Math.max(device.silences, silencesUntilOffline);
      device.code = code;
      device.message = null;
    }
    this.#watch.tellHealth(device);
    this.#startTurns(device.line);
  }

  #ended(id: number, code: ErrorCode, message: string): void {
    const group = this.#groups.get(id);
    if (group?.state !== "subscribed") return;
    const { of: device } = group;
    this.#step.publishBad(group, code);
    if (isSilence(code)) this.#watch.silent(device, group, code, message);
    this.#watch.tellHealth(device);
    this.#startTurns(device.line);
  }

  #act(act: number, uid: DeviceUid): void {
    const device = this.#devices.get(uid);
    // Whoever acts looks again when it is his turn.
    if (device === undefined || device.line.line.state !== "up") {
      this.#step.effects.push({ t: "act", act });
      return;
    }
    this.#acts.set(act, { device, hasTurn: false });
    device.line.enqueue({ kind: "act", device, act, queuedAt: this.#step.now });
    this.#startTurns(device.line);
  }

  #acted(act: number, code: ErrorCode | null): void {
    const known = this.#acts.get(act);
    if (known === undefined) return;
    this.#acts.delete(act);
    const { device, hasTurn } = known;
    if (hasTurn) device.line.ended({ kind: "act", device }, this.#step.now, code !== null && isSilence(code));
    else device.line.withdraw((turn) => turn.kind === "act" && turn.act === act);
    const isThere = this.#devices.get(device.uid) === device;
    if (hasTurn && code === null && isThere) {
      // What reads say of it stands, unless they say that it is not there.
      if (device.silences > 0 || !device.hasAnswered) this.#watch.heard(device, null, null);
      device.answeredAt = this.#step.now;
      this.#watch.tellHealth(device);
    }
    this.#startTurns(device.line);
  }

  /** An act whose turn never came: its line is down or its device gone, and it shall fail at once. */
  #grant(turn: Turn): void {
    if (turn.kind !== "act") return;
    this.#acts.delete(turn.act);
    this.#step.effects.push({ t: "act", act: turn.act });
  }

  #answered(id: number, { code, message, hasRows }: Outcome): void {
    const group = this.#groups.get(id);
    if (group === undefined) return;
    const { of: device } = group;
    const isSilent = code !== null && isSilence(code);
    device.line.ended({ kind: "read", device }, this.#step.now, isSilent);
    if (!device.groups.has(group) || this.#devices.get(group.device) !== device) {
      this.#groups.delete(id);
      this.#startTurns(device.line);
      return;
    }
    group.isGood = code === null;
    group.code = code;
    group.failures = code === null ? 0 : group.failures + 1;
    const hasBegun = group.isSubscribed === true && code === null;
    group.state = hasBegun ? "subscribed" : "publishing";
    if (!hasRows && !hasBegun) this.#step.effects.push({ t: "publish-bad", group: id, code: code ?? "internal" });
    if (isSilent) this.#watch.silent(device, group, code, message);
    else if (code !== "mapper/stopped") this.#watch.heard(device, code, message);
    this.#watch.tellHealth(device);
    this.#startTurns(device.line);
  }

  #published(id: number): void {
    const group = this.#groups.get(id);
    if (group?.state !== "publishing") return;
    group.state = "idle";
    if (group.isSubscribed === true) this.#subscribeLater(group);
    if (!group.isLate) return;
    group.isLate = false;
    // A device that did not answer is not asked once more at once: that is the back-off's to say.
    if (group.of.silences > 0) this.#step.effects.push({ t: "overrun", group: id, cycles: 1, isSilent: true });
    else this.#cycle(group, 0);
    this.#startTurns(group.of.line);
  }

  #lineChanged(line: Line, to: Line["line"]): void {
    line.line = to;
    line.lost = null;
    if (to.state !== "up") for (const turn of line.withdraw(({ kind }) => kind === "act")) this.#grant(turn);
    if (to.state === "down") {
      for (const turn of line.flush()) if (turn.kind === "read") this.#step.publishBad(turn.group, to.code);
      for (const group of [...line.devices].flatMap((device) => [...device.groups])) {
        if (group.state === "subscribed") this.#step.publishBad(group, to.code);
      }
    }
    if (to.state === "up") {
      for (const device of line.devices) {
        device.silences = 0;
        this.#watch.readAgain(device);
      }
    }
    for (const device of line.devices) this.#watch.tellHealth(device);
    this.#startTurns(line);
  }

  #connectionChanged(line: Line, lost: Line["lost"]): void {
    line.lost = lost;
    line.lostAt = this.#step.now;
    for (const device of line.devices) {
      if (lost === null) this.#watch.probe(device);
      this.#watch.tellHealth(device);
    }
    this.#startTurns(line);
  }

  #startTurns(line: Line): void {
    for (let turn = line.next(this.#step.now); turn !== null; turn = line.next(this.#step.now)) {
      if (turn.kind === "read") this.#step.effects.push({ t: "read", group: turn.group.id });
      else {
        this.#acts.get(turn.act)!.hasTurn = true;
        this.#step.effects.push({ t: "act", act: turn.act });
      }
    }
    const wakesAt = line.wakesAt(this.#step.now);
    if (wakesAt !== null) this.#step.due.set(`l${line.uid}`, wakesAt);
  }
}
