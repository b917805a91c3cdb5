import type { ErrorCode } from "@penstock/model";
import type { DeviceRecord, GroupRecord, Turn } from "./line.ts";
import { healthOf, isOnlyProbed, isSilence, offlineAt } from "./presence.ts";
import type { ScheduleStep } from "./schedule-step.ts";

/** Who answers and who is silent: how often the silent are asked again, and what is told of each device's health. */
export class DeviceWatch {
  readonly #step: ScheduleStep;

  constructor(step: ScheduleStep) {
    this.#step = step;
  }

  maybeOffline(device: DeviceRecord): void {
    const at = offlineAt(device);
    if (at > this.#step.now) this.#step.due.set(`o${device.uid}`, at);
    this.tellHealth(device);
  }

  /** The read that finds out whether a silent device is back; besides, an hourly value is not missed for one lost answer. */
  probe(device: DeviceRecord): void {
    const group = device.probeGroup;
    if (group === null || device.silences === 0) return;
    const heldUntil = device.line.heldUntil(device, this.#step.now);
    if (heldUntil !== null) {
      this.#step.due.set(`d${device.uid}`, heldUntil);
      return;
    }
    if (group.state === "idle" && device.line.line.state === "up") this.#step.enqueue(group);
    else if (group.state === "publishing")
      this.#step.due.set(`d${device.uid}`, this.#step.now + this.#backOffUs(device));
  }

  silent(device: DeviceRecord, group: GroupRecord, code: ErrorCode, message: string | null): void {
    device.silences++;
    device.code = code;
    device.message = message;
    device.probeGroup = group;
    this.#step.due.set(`d${device.uid}`, this.#step.now + this.#backOffUs(device));
    // From now on one read asks whether it is back; what else waits to ask it has its answer.
    const isQueued = (turn: Turn) => turn.kind === "read" && turn.device === device;
    for (const turn of isOnlyProbed(device) ? device.line.withdraw(isQueued) : []) {
      if (turn.kind === "read") this.#step.publishBad(turn.group, code);
    }
  }

  #backOffUs({ line, silences }: DeviceRecord): number {
    const { backOffFirstMs, backOffLongestMs } = line.settings;
    return Math.min(backOffLongestMs, backOffFirstMs * 2 ** Math.min(silences - 1, 30)) * 1000;
  }

  heard(device: DeviceRecord, code: ErrorCode | null, message: string | null): void {
    const wasSilent = device.silences > 0;
    const wasOffline = offlineAt(device) <= this.#step.now;
    device.silences = 0;
    device.code = code;
    device.message = message;
    device.hasAnswered = true;
    device.answeredAt = this.#step.now;
    device.probeGroup = null;
    this.#step.due.remove(`d${device.uid}`);
    if (wasOffline) this.#step.due.set(`o${device.uid}`, offlineAt(device));
    if (wasSilent) this.readAgain(device);
  }

  /** Groups whose last rows were bad for a reason that has just gone. */
  readAgain(device: DeviceRecord): void {
    for (const group of device.groups) {
      const isBad = group.isGood === false && (group.code === null || isSilence(group.code) || isOfLine(group.code));
      if (isBad && group.state === "idle") this.#step.enqueue(group);
    }
  }

  tellHealth(device: DeviceRecord): void {
    const health = healthOf(device, this.#step.now);
    const short = `${health.state} ${health.reason}`;
    if (short === device.health) return;
    device.health = short;
    this.#step.effects.push({ t: "health", health });
  }
}

function isOfLine(code: ErrorCode): boolean {
  return code === "mapper/stopped" || code === "mapper/not-found" || code === "mapper/wrong-version";
}
