import assert from "node:assert/strict";
import { type ConnectionUid, type DeviceUid, defaultLine, type ErrorCode, type LineSettings } from "@penstock/model";
import { Schedule } from "../schedule.ts";
import { type LineState, type ScheduleEffect, scheduleLimits } from "../schedule-types.ts";

export const ms = 1000;
export const bus = "bus-a" as ConnectionUid;
/** what a silent device costs, unless its line says otherwise */
export const slotMs = 1000;

export interface Simulated {
  readonly device: string;
  /** null = only when told that it is due */
  readonly everyMs: number | null;
  readonly offlineAfterMs?: number;
  /** how long a read takes at the device, alone on its line */
  tookMs: number;
  isSilent?: boolean;
  code?: ErrorCode;
}

/** A line that asks one device at a time, as a serial bus does, on virtual time; checks the schedule's promises as it goes. */
export function simulate(groups: readonly Simulated[], more: Partial<LineSettings> = {}) {
  const settings: LineSettings = { ...defaultLine, ...more };
  const schedule = new Schedule();
  const log: { at: number; effect: ScheduleEffect }[] = [];
  /** what the mapper has, in order; the first one runs */
  const atMapper: { group?: number; act?: number; endsAt: number }[] = [];
  const acts: { readonly device: string; readonly tookMs: number; readonly isSilent: boolean }[] = [];
  let now = 0;
  let lineFreeAt = 0;

  const take = (effects: readonly ScheduleEffect[]) => {
    for (const effect of effects) {
      log.push({ at: now, effect });
      if (effect.t === "read") start(effect.group);
      if (effect.t === "act") {
        const { tookMs, isSilent } = acts[effect.act]!;
        atMapper.push({ act: effect.act, endsAt: endsAt(isSilent ? settings.timeoutMs : tookMs) });
      }
      if (effect.t === "publish-bad") take(schedule.step({ t: "published", group: effect.group }, now));
    }
  };
  const endsAt = (tookMs: number) => {
    lineFreeAt = Math.max(now, lineFreeAt) + tookMs * ms;
    return lineFreeAt;
  };
  const start = (group: number) => {
    const of = groups[group]!;
    const reads = atMapper.filter((other) => other.group !== undefined);
    assert.ok(reads.length < scheduleLimits.inFlightPerLine, "no more in flight than the limit");
    if (settings.collection === "sync") assert.equal(atMapper.length, 0, "one at a time");
    assert.ok(
      reads.every((other) => groups[other.group!]!.device !== of.device),
      "one read of a device at a time",
    );
    atMapper.push({ group, endsAt: endsAt(of.isSilent === true ? settings.timeoutMs : of.tookMs) });
  };
  const line = (state: LineState) => {
    take(schedule.step({ t: "line", connection: bus, line: state }, now));
    if (state.state !== "down") return;
    lineFreeAt = now;
    for (const { group, act } of atMapper.splice(0)) {
      if (act !== undefined) take(schedule.step({ t: "acted", act, code: state.code }, now));
      if (group === undefined) continue;
      take(schedule.step({ t: "answered", group, outcome: { code: state.code, message: null, hasRows: false } }, now));
    }
  };
  const runTo = (endMs: number) => {
    while (true) {
      const at = Math.min(schedule.nextAt() ?? Infinity, atMapper[0]?.endsAt ?? Infinity);
      if (at > endMs * ms) break;
      now = Math.max(now, at);
      if (atMapper[0] !== undefined && atMapper[0].endsAt <= now) {
        const { group, act } = atMapper.shift()!;
        if (act !== undefined) {
          take(schedule.step({ t: "acted", act, code: acts[act]!.isSilent ? "mapper/timeout" : null }, now));
          continue;
        }
        const of = groups[group!]!;
        const code = of.isSilent === true ? "mapper/timeout" : (of.code ?? null);
        const outcome = { code, message: null, hasRows: code === null };
        take(schedule.step({ t: "answered", group: group!, outcome }, now));
        if (code === null) take(schedule.step({ t: "published", group: group! }, now));
      } else take(schedule.step({ t: "tick" }, now));
    }
    now = endMs * ms;
  };
  take(schedule.step({ t: "settings", connection: bus, settings }, now));
  for (const device of new Set(groups.map(({ device }) => device as DeviceUid))) {
    const after = groups.find((group) => group.device === device)?.offlineAfterMs;
    const offlineAfterUs = after === undefined ? null : after * ms;
    take(schedule.step({ t: "add-device", device, connection: bus, offlineAfterUs }, now));
  }
  groups.forEach(({ device, everyMs }, id) => {
    const everyUs = everyMs === null ? null : everyMs * ms;
    take(schedule.step({ t: "add", group: { id, device: device as DeviceUid, connection: bus, everyUs } }, now));
  });
  const due = (group: number) => take(schedule.step({ t: "due", group }, now));
  /** @returns the act's number */
  const act = (device: string, tookMs: number, isSilent = false): number => {
    const number = acts.push({ device, tookMs, isSilent }) - 1;
    take(schedule.step({ t: "act", act: number, device: device as DeviceUid }, now));
    return number;
  };
  const actedAt = (number: number) =>
    log.find(({ effect }) => effect.t === "act" && effect.act === number)?.at ?? Number.POSITIVE_INFINITY;
  const of = (t: ScheduleEffect["t"], group: number, fromMs = 0) =>
    log.filter(({ at, effect }) => effect.t === t && "group" in effect && effect.group === group && at >= fromMs * ms);
  const health = (device: string) => schedule.health().find((h) => h.device === device)!;
  /** the agent sees nothing of the world for a while */
  const stall = (untilMs: number) => {
    now = untilMs * ms;
    take(schedule.step({ t: "tick" }, now));
  };
  return { schedule, log, line, runTo, of, health, stall, due, act, actedAt };
}
