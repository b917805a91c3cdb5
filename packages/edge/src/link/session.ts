import {
  type AlarmTransition,
  addRange,
  type CallReport,
  type DesiredReport,
  limits,
  type NodeReport,
  type Ranges,
} from "@penstock/model";
import { type CloudMessage, type Hello, linkVersions, type Stamp } from "@penstock/wire";
import { noCompression } from "./compress.ts";
import type { BootOffset } from "./correct-time.ts";
import { isRenewalDue } from "./renewal.ts";
import { resumePlan } from "./resume.ts";
import { pump, sendEntries, takeAck, tellDropped } from "./session-sending.ts";
import type { EdgeEffect, EdgeInput, EdgeSession, EdgeStep } from "./session-state.ts";
import { isVague, learnTransit, onTheWay } from "./transit.ts";
import { newWindow } from "./window.ts";

/** So often the cloud is asked for its stamp, at least: each bucket of transit.ts shall hold an answer. */
const askMicros = 60_000_000;
/** After this long without a frame the other end is asked; after the longer one it is given up. */
export const quietMicros = 5_000_000;
export const silentMicros = 15_000_000;
/** Readings under way and nothing committed for this long: frames were lost, so begin again. */
const stalledMicros = 60_000_000;
const statusMicros = 5_000_000;
const renewAgainMicros = 3_600_000_000;
const reportsPerMessage = 1000;
/** so many of the longest results fit one message, whatever their encoding makes of them */
const callReportsPerMessage = 32;

/** @param options.boot known when an earlier session of this boot was welcomed */
export function newEdgeSession(options: {
  readonly hello: Hello;
  readonly boot: BootOffset | null;
  readonly sent: number;
  readonly now: number;
}): EdgeStep {
  const { hello, now } = options;
  const state: EdgeSession = {
    phase: "greeting",
    hello,
    openedAt: now,
    heardAt: now,
    pingedAt: now,
    held: [],
    backlog: [],
    next: { live: hello.highest + 1, backlog: hello.lowest },
    durable: hello.highest,
    inFlight: [],
    progressAt: now,
    window: newWindow(now),
    compression: noCompression,
    credit: { live: 0, backlog: 0 },
    reading: null,
    liveInARow: 0,
    layoutsSent: { live: new Set(), backlog: new Set() },
    boot: options.boot,
    toldLowest: hello.lowest,
    reportsOut: new Set(),
    callReportsOut: new Set(),
    alarmsOut: 0,
    statusText: "",
    statusAt: now,
    renewedAt: null,
    sent: options.sent,
    pings: 0,
    transit: null,
    asked: null,
    answeredAt: now,
  };
  return { state, effects: [{ t: "send", lane: "control", message: hello }] };
}

/** The link session at the gateway: no clock, no network, no disk; the loop in link.ts does what the effects say. */
export function edgeStep(state: EdgeSession, input: EdgeInput): EdgeStep {
  if (state.phase === "over") return { state, effects: [] };
  switch (input.t) {
    case "heard":
      return { state: { ...state, heardAt: input.now }, effects: [] };
    case "message":
      return state.phase === "greeting" ? greeted(state, input) : opened(state, input);
    case "durable":
      return pump({ ...state, durable: Math.max(state.durable, input.highest) }, input.now);
    case "entries":
      return sendEntries(state, input);
    case "reports":
      return sendReports(state, input.reports);
    case "applied":
      return send(state, { t: "applied", version: input.version });
    case "desired-taken":
      return send(state, {
        t: "desired-taken",
        taken: input.values.map(({ device, property, version }) => ({ device, property, version, time: input.time })),
      });
    case "holds":
      return state.phase === "open" ? send(state, { t: "holds", holds: input.holds }) : { state, effects: [] };
    case "mappers":
      return state.phase === "open" ? send(state, { t: "mappers", mappers: input.mappers }) : { state, effects: [] };
    case "manifest":
      return send(state, { t: "manifest", hash: input.hash, text: input.text }, "bulk");
    case "browsed":
      return state.phase === "open" ? send(state, input, "bulk") : { state, effects: [] };
    case "calls-taken":
      return send(state, { t: "calls-taken", ids: input.ids });
    case "call-reports":
      return sendCallReports(state, input.reports);
    case "alarms":
      return sendAlarms(state, input);
    case "alarm-acts-done":
      return send(state, { t: "alarm-acts-done", outcomes: input.outcomes });
    case "tick":
      return ticked(state, input);
  }
}

function greeted(state: EdgeSession, input: { message: CloudMessage; now: number }): EdgeStep {
  const { message, now } = input;
  if (message.t === "refused") return over(state, { t: "close", code: message.code, message: message.message });
  if (message.t !== "welcome") {
    return over(state, {
      t: "close",
      code: "link/bad-frame",
      message: `Cannot open session: the cloud said "${message.t}" before its welcome`,
    });
  }
  if (message.version < linkVersions.min || message.version > linkVersions.max) {
    return over(state, {
      t: "close",
      code: "link/no-common-version",
      message: `Cannot open session: the cloud chose version ${message.version}, offered ${linkVersions.min}..${linkVersions.max}`,
    });
  }
  const { hello } = state;
  // What lies below `lowest` is settled too: the cloud has answered for it with this order.
  if (message.newEpoch) return over(state, { t: "new-epoch", held: addRange(message.held, 1, hello.lowest - 1) });
  const plan = resumePlan({ lowest: hello.lowest, highest: hello.highest, held: message.held, sent: state.sent });
  // Half the round trip lies between the cloud's reading of its clock and now.
  const boot = state.boot ?? { boot: hello.boot, offset: message.time + Math.floor((now - state.openedAt) / 2) - now };
  const settled: Ranges = addRange(message.held, 0, hello.lowest - 1);
  const stamped = learned(state, message, now);
  const open = pump(
    { ...stamped, phase: "open", boot, held: settled, backlog: plan.backlog, credit: message.credit, progressAt: now },
    now,
  );
  return {
    state: open.state,
    effects: [
      { t: "welcomed", again: plan.again, boot },
      ...(message.held.length > 0 ? [{ t: "acknowledge", ranges: message.held } as const] : []),
      ...open.effects,
    ],
  };
}

function opened(before: EdgeSession, input: { message: CloudMessage; now: number }): EdgeStep {
  const { message, now } = input;
  const state = learned(before, message, now);
  switch (message.t) {
    case "ack":
      return takeAck(message.credit === undefined ? state : { ...state, credit: message.credit }, message.ranges, now);
    case "assigned":
      return { state, effects: [{ t: "apply-assigned", set: message.set }] };
    case "desired":
      return { state, effects: [{ t: "take-desired", values: withTimeLeft(state, message, message.values, now) }] };
    case "reports-taken": {
      const reportsOut = new Set(state.reportsOut);
      for (const taken of message.taken) reportsOut.delete(reportKey(taken));
      return { state: { ...state, reportsOut }, effects: [{ t: "reports-taken", taken: message.taken }] };
    }
    case "calls":
      return { state, effects: [{ t: "take-calls", calls: withTimeLeft(state, message, message.calls, now) }] };
    case "call-reports-taken": {
      const callReportsOut = new Set(state.callReportsOut);
      for (const id of message.ids) callReportsOut.delete(id);
      return { state: { ...state, callReportsOut }, effects: [{ t: "call-reports-taken", ids: message.ids }] };
    }
    case "alarms-taken":
      return { state, effects: [{ t: "alarms-taken", epoch: message.epoch, numbers: message.numbers }] };
    case "alarm-acts":
      return { state, effects: [{ t: "take-alarm-acts", acts: message.acts }] };
    case "need-manifests":
      return { state, effects: [{ t: "give-manifests", hashes: message.hashes }] };
    case "browse":
      return { state, effects: [{ t: "browse", question: message }] };
    case "certificate":
      return { state, effects: [{ t: "certificate", certificate: message }] };
    case "ping":
      return send(state, { t: "pong", n: message.n });
    case "pong":
      return { state, effects: [] };
    case "refused":
      return over(state, { t: "close", code: message.code, message: message.message });
    case "welcome":
      return over(state, {
        t: "close",
        code: "link/bad-frame",
        message: "Cannot go on: the cloud said welcome a second time",
      });
  }
}

function ticked(state: EdgeSession, input: EdgeInput & { t: "tick" }): EdgeStep {
  const { now } = input;
  if (now - state.heardAt >= silentMicros) {
    return over(state, {
      t: "close",
      code: "link/silent",
      message: `Cannot go on: nothing came from the cloud for ${Math.floor((now - state.heardAt) / 1e6)} s`,
    });
  }
  if (state.phase !== "open") return { state, effects: [] };
  if (state.inFlight.length > 0 && now - state.progressAt >= stalledMicros) {
    return over(state, {
      t: "close",
      code: "link/silent",
      message: `Cannot go on: nothing of ${state.inFlight.length} entries was acknowledged for ${stalledMicros / 1e6} s`,
    });
  }
  const effects: EdgeEffect[] = [];
  let current = state;
  const isQuiet = now - state.heardAt >= quietMicros && now - state.pingedAt >= quietMicros;
  if (isQuiet || isStampWanted(state, now)) {
    const n = current.pings + 1;
    current = { ...current, pingedAt: now, pings: n, asked: { n, at: now } };
    effects.push({ t: "send", lane: "control", message: { t: "ping", n: current.pings } });
  }
  const dropped = tellDropped(current, input.lowest);
  current = dropped.state;
  effects.push(...dropped.effects);
  const statusText = changeText(input.report);
  if (statusText !== current.statusText || now - current.statusAt >= statusMicros) {
    current = { ...current, statusText, statusAt: now };
    effects.push({ t: "send", lane: "control", message: { t: "status", report: input.report } });
  }
  const life = input.certificate;
  const isAskedLately = current.renewedAt !== null && now - current.renewedAt < renewAgainMicros;
  if (life !== null && !isAskedLately && isRenewalDue(life, input.wall)) {
    current = { ...current, renewedAt: now };
    effects.push({ t: "send", lane: "control", message: { t: "renew", publicKey: life.publicKeyDer } });
  }
  const pumped = pump(current, now);
  return { state: pumped.state, effects: [...effects, ...pumped.effects] };
}

/** A cloud that stamps nothing is not asked for it. */
function isStampWanted({ transit, asked, answeredAt }: EdgeSession, now: number): boolean {
  if (transit === null || asked !== null) return false;
  return now - answeredAt >= askMicros || isVague(transit);
}

/** What the message's stamp tells of the way from the cloud. */
function learned(state: EdgeSession, message: CloudMessage, now: number): EdgeSession {
  if (!("stamp" in message) || message.stamp === undefined) return state;
  const { stamp } = message;
  if (message.t === "welcome") {
    const answered = { askedAt: state.openedAt, heardStamp: message.helloStamp ?? stamp };
    return { ...state, transit: learnTransit(state.transit, { stamp, now }, answered) };
  }
  const { asked } = state;
  if (message.t !== "pong" || asked?.n !== message.n)
    return { ...state, transit: learnTransit(state.transit, { stamp, now }, null) };
  const transit = learnTransit(state.transit, { stamp, now }, { askedAt: asked.at, heardStamp: stamp });
  return { ...state, transit, asked: null, answeredAt: now };
}

/** What was spent on the way is gone from the time to live; twin ends as expired what has none left, and never writes it. */
function withTimeLeft<T extends { readonly ttlMs: number }>(
  { transit }: EdgeSession,
  { stamp }: Stamp,
  items: readonly T[],
  now: number,
): readonly T[] {
  if (transit === null || stamp === undefined) return items;
  const spentMs = onTheWay(transit, { stamp, now }) / 1000;
  return items.map((item) => ({ ...item, ttlMs: Math.max(0, item.ttlMs - spentMs) }));
}

function sendReports(state: EdgeSession, reports: readonly DesiredReport[]): EdgeStep {
  if (state.phase !== "open") return { state, effects: [] };
  const fresh = reports.filter((report) => !state.reportsOut.has(reportKey(report)));
  if (fresh.length === 0) return { state, effects: [] };
  const effects: EdgeEffect[] = [];
  for (let at = 0; at < fresh.length; at += reportsPerMessage) {
    const part = fresh.slice(at, at + reportsPerMessage);
    effects.push({ t: "send", lane: "control", message: { t: "reports", reports: part } });
  }
  return { state: { ...state, reportsOut: new Set([...state.reportsOut, ...fresh.map(reportKey)]) }, effects };
}

function sendCallReports(state: EdgeSession, reports: readonly CallReport[]): EdgeStep {
  if (state.phase !== "open") return { state, effects: [] };
  const fresh = reports.filter(({ id }) => !state.callReportsOut.has(id));
  const effects: EdgeEffect[] = [];
  for (let at = 0; at < fresh.length; at += callReportsPerMessage) {
    const part = fresh.slice(at, at + callReportsPerMessage);
    effects.push({ t: "send", lane: "control", message: { t: "call-reports", reports: part } });
  }
  const callReportsOut = new Set([...state.callReportsOut, ...fresh.map(({ id }) => id)]);
  return { state: { ...state, callReportsOut }, effects };
}

/** Numbers ascend, so the last one told says what is fresh. */
function sendAlarms(
  state: EdgeSession,
  { epoch, transitions }: { readonly epoch: string; readonly transitions: readonly AlarmTransition[] },
): EdgeStep {
  if (state.phase !== "open") return { state, effects: [] };
  const fresh = transitions.filter(({ number }) => number > state.alarmsOut);
  const effects: EdgeEffect[] = [];
  for (let at = 0; at < fresh.length; at += limits.alarmTransitionsTold) {
    const part = fresh.slice(at, at + limits.alarmTransitionsTold);
    effects.push({ t: "send", lane: "control", message: { t: "alarms", epoch, transitions: part } });
  }
  return { state: { ...state, alarmsOut: fresh.at(-1)?.number ?? state.alarmsOut }, effects };
}

function reportKey(report: Pick<DesiredReport, "device" | "property" | "version" | "state">): string {
  return `${report.device}/${report.property}#${report.version}:${report.state}`;
}

/** What is worth telling at once; counters and sizes wait for the next regular status. */
function changeText(report: NodeReport): string {
  return JSON.stringify([report.mappers, report.devices, report.outbox.full]);
}

function send(
  state: EdgeSession,
  message: (EdgeEffect & { t: "send" })["message"],
  lane: "control" | "bulk" = "control",
): EdgeStep {
  return { state, effects: [{ t: "send", lane, message }] };
}

function over(state: EdgeSession, effect: EdgeEffect): EdgeStep {
  return { state: { ...state, phase: "over" }, effects: [effect] };
}
