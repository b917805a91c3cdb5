import {
  type AlarmAct,
  type AssignedSet,
  addRange,
  type DesiredValue,
  limits,
  type MethodCall,
  type Ranges,
  type ToldMapper,
} from "@penstock/model";
import {
  type AnyMessage,
  checkEdgeMessage,
  type EdgeMessage,
  helloVersions,
  linkVersions,
  type Manifest,
} from "@penstock/wire";
import type { Credit } from "./credit.ts";
import { desiredMessages } from "./desired-messages.ts";
import { committed, gapAlarms, sendAck, takeDropped, takeReadings, tellCredit } from "./session-readings.ts";
import type { CloudEffect, CloudInput, CloudSession, CloudStep } from "./session-state.ts";

export const quietMicros = 5_000_000;
export const silentMicros = 15_000_000;

export function newCloudSession(now: number): CloudSession {
  return {
    phase: "greeting",
    openedAt: now,
    greetedAt: now,
    heardAt: now,
    pingedAt: now,
    pings: 0,
    hello: null,
    layouts: new Map(),
    layoutProperties: 0,
    held: [],
    pendingBytes: 0,
    toAck: [],
    ackedAt: now - silentMicros,
    isAckTimed: false,
    credit: { live: 0, backlog: 0 },
    assignedSent: null,
    desiredSent: new Map(),
    callsSent: new Set(),
    actsSent: new Set(),
    dropped: { since: now, count: 0 },
    mapperSets: { since: now, count: 0 },
    manifestsAsked: new Set(),
    applied: 0,
    ignored: 0,
  };
}

/**
 * The link session in the cloud: no clock, no network, no store; the loop in run-session.ts does what the effects say.
 *
 * @throws AppError "link/bad-frame" when the gateway breaks the protocol; the session is over then
 */
export function cloudStep(state: CloudSession, input: CloudInput): CloudStep {
  if (input.t === "settled")
    return { state: { ...state, pendingBytes: state.pendingBytes - input.bytes }, effects: [] };
  if (state.phase === "over") return { state, effects: [] };
  switch (input.t) {
    case "heard":
      return { state: { ...state, heardAt: input.now }, effects: [] };
    case "message": {
      if (state.phase === "greeting") return greet(state, input.message, input.now);
      const checked = checkEdgeMessage(input.message);
      if (checked === null) return { state: { ...state, ignored: state.ignored + 1 }, effects: [] };
      const counted =
        checked.unknownFields === 0 ? state : { ...state, ignored: state.ignored + checked.unknownFields };
      return state.phase === "open" ? open(counted, checked.message, input.now) : tooEarly(counted, checked.message);
    }
    case "begun":
      return begun(state, input);
    case "committed":
      return committed(state, input.ranges, input.now, input.credit);
    case "ack-due":
      return sendAck(state, input.now, input.credit);
    case "assigned":
      return assigned(state, input.set);
    case "desired":
      return desired(state, input.values, input.asOf);
    case "calls":
      return calls(state, input.calls, input.asOf);
    case "call-reports-taken":
      return send(state, { t: "call-reports-taken", ids: input.ids });
    case "alarms-taken":
      return send(state, { t: "alarms-taken", epoch: input.epoch, numbers: input.numbers });
    case "alarm-acts":
      return alarmActs(state, input.acts);
    case "need-manifests":
      return needManifests(state, input.hashes);
    case "reports-taken":
      return send(state, { t: "reports-taken", taken: input.taken });
    case "browse":
      return send(state, input);
    case "certificate":
      return send(state, {
        t: "certificate",
        certificatePem: input.certificatePem,
        trustBundlePem: input.trustBundlePem,
      });
    case "refuse":
      return refuse(state, input);
    case "tick":
      return tick(state, input.now, input.credit);
  }
}

function greet(state: CloudSession, message: AnyMessage, now: number): CloudStep {
  const offered = helloVersions(message);
  const { min, max } = linkVersions;
  if (offered.min > max || offered.max < min) {
    return refuse(state, {
      code: "link/no-common-version",
      message: `Cannot open session: the gateway speaks link versions ${offered.min}..${offered.max}, the cloud ${min}..${max}`,
    });
  }
  const checked = checkEdgeMessage(message);
  if (checked === null || checked.message.t !== "hello") return { state, effects: [] };
  const hello = checked.message;
  const next: CloudSession = {
    ...state,
    phase: "opening",
    greetedAt: now,
    hello,
    assignedSent: hello.assignedVersion,
    ignored: state.ignored + checked.unknownFields,
  };
  return { state: next, effects: [{ t: "begin", hello }] };
}

function tooEarly(state: CloudSession, message: EdgeMessage): CloudStep {
  return over(state, {
    t: "close",
    code: "link/bad-frame",
    message: `Cannot go on: the gateway said "${message.t}" before its welcome`,
  });
}

function begun(state: CloudSession, input: CloudInput & { t: "begun" }): CloudStep {
  const { hello } = state;
  if (hello === null || state.phase !== "opening") return { state, effects: [] };
  // What lies below `lowest` was answered for by `gap`, now.
  const answered: Ranges = [[0, hello.lowest - 1], ...(hello.settled ?? [])];
  return {
    state: {
      ...state,
      phase: "open",
      held: answered.reduce((held, [from, to]) => addRange(held, from, to), input.held),
      credit: input.credit,
    },
    effects: [
      {
        t: "send",
        message: {
          t: "welcome",
          version: Math.min(linkVersions.max, hello.versions.max),
          features: [],
          time: input.time,
          held: input.held,
          newEpoch: input.newEpoch,
          credit: input.credit,
          stamp: stampOf(state, input.now),
          helloStamp: stampOf(state, state.greetedAt),
        },
      },
      ...gapAlarms(hello.epoch, input.gap),
      ...(input.newEpoch ? [] : [{ t: "opened", hello } as const]),
    ],
  };
}

function open(state: CloudSession, message: EdgeMessage, now: number): CloudStep {
  switch (message.t) {
    case "readings":
      return takeReadings(state, message);
    case "dropped":
      return dropped(state, message.lowest, now);
    case "applied":
      // Each is a write of the state store; what says nothing new is none.
      if (message.version <= state.applied || message.version > (state.assignedSent ?? 0))
        return { state, effects: [] };
      return { state: { ...state, applied: message.version }, effects: [{ t: "applied", version: message.version }] };
    case "desired-taken":
      return { state, effects: [{ t: "desired-taken", taken: message.taken }] };
    case "reports":
      return { state, effects: [{ t: "take-reports", reports: message.reports }] };
    case "holds":
      return { state, effects: [{ t: "take-holds", holds: message.holds }] };
    case "calls-taken":
      return { state, effects: [{ t: "calls-taken", ids: message.ids }] };
    case "call-reports":
      return { state, effects: [{ t: "take-call-reports", reports: message.reports }] };
    case "alarms":
      return { state, effects: [{ t: "take-alarms", epoch: message.epoch, transitions: message.transitions }] };
    case "alarm-acts-done":
      return { state, effects: [{ t: "alarm-acts-done", outcomes: message.outcomes }] };
    case "mappers":
      return mappers(state, message.mappers, now);
    case "manifest":
      return manifest(state, message);
    case "browsed":
      return { state, effects: [{ t: "browsed", answer: message }] };
    case "status":
      return { state, effects: [{ t: "report", report: message.report }] };
    case "renew":
      return { state, effects: [{ t: "renew", publicKeyDer: message.publicKey }] };
    case "ping":
      return send(state, { t: "pong", n: message.n, stamp: stampOf(state, now) });
    case "pong":
      return { state, effects: [] };
    case "hello":
      return over(state, {
        t: "close",
        code: "link/bad-frame",
        message: "Cannot go on: the gateway said hello a second time",
      });
  }
}

function dropped(state: CloudSession, lowest: number, now: number): CloudStep {
  const { since, count } = now - state.dropped.since < 60_000_000 ? state.dropped : { since: now, count: 0 };
  if (count < limits.droppedPerMinute) return takeDropped({ ...state, dropped: { since, count: count + 1 } }, lowest);
  return tooOften(state, "droppedPerMinute", "what it dropped");
}

function mappers(state: CloudSession, told: readonly ToldMapper[], now: number): CloudStep {
  const { since, count } = now - state.mapperSets.since < 60_000_000 ? state.mapperSets : { since: now, count: 0 };
  if (count >= limits.mapperSetsPerMinute) return tooOften(state, "mapperSetsPerMinute", "which mappers it has");
  const mapperSets = { since, count: count + 1 };
  return { state: { ...state, mapperSets }, effects: [{ t: "take-mappers", mappers: told }] };
}

function tooOften(
  state: CloudSession,
  limit: "droppedPerMinute" | "mapperSetsPerMinute",
  what: "what it dropped" | "which mappers it has",
): CloudStep {
  const message = `Cannot go on: the gateway said more than ${limits[limit]} times a minute ${what}`;
  const ended = over(state, { t: "close", code: "request/too-many", message });
  return { ...ended, effects: [{ t: "limited", limit }, ...ended.effects] };
}

/** Each once a session: a gateway that does not answer has no such mapper any more, and tells its new set. */
function needManifests(state: CloudSession, hashes: readonly string[]): CloudStep {
  const fresh = hashes.filter((hash) => !state.manifestsAsked.has(hash));
  if (fresh.length === 0) return { state, effects: [] };
  const manifestsAsked = new Set([...state.manifestsAsked, ...fresh]);
  return send({ ...state, manifestsAsked }, { t: "need-manifests", hashes: fresh });
}

/** What nobody asked for is not looked at. */
function manifest(state: CloudSession, { hash, text }: Manifest): CloudStep {
  if (!state.manifestsAsked.has(hash)) return { state: { ...state, ignored: state.ignored + 1 }, effects: [] };
  const manifestsAsked = new Set([...state.manifestsAsked].filter((one) => one !== hash));
  return { state: { ...state, manifestsAsked }, effects: [{ t: "take-manifest", hash, text }] };
}

/** A set that the gateway has already counts as applied. */
function assigned(state: CloudSession, set: AssignedSet): CloudStep {
  if (set.version !== state.assignedSent) return send({ ...state, assignedSent: set.version }, { t: "assigned", set });
  const isFromHello = set.version === state.hello?.assignedVersion;
  return { state, effects: isFromHello ? [{ t: "applied", version: set.version }] : [] };
}

/** Each version once a session: the lane loses nothing, and the gateway writes it to disk before it says so. */
function desired(state: CloudSession, values: readonly DesiredValue[], asOf: number): CloudStep {
  const fresh = values.filter(
    ({ device, property, version }) => (state.desiredSent.get(`${device}/${property}`) ?? 0) < version,
  );
  if (fresh.length === 0) return { state, effects: [] };
  const desiredSent = new Map(state.desiredSent);
  for (const { device, property, version } of fresh) desiredSent.set(`${device}/${property}`, version);
  const stamp = stampOf(state, asOf);
  const effects = desiredMessages(fresh).map(
    (values): CloudEffect => ({ t: "send", message: { t: "desired", values, stamp } }),
  );
  return { state: { ...state, desiredSent }, effects };
}

/** Each call once a session; in another the gateway knows it by its id. */
function calls(state: CloudSession, pending: readonly MethodCall[], asOf: number): CloudStep {
  const stamp = stampOf(state, asOf);
  const fresh = pending.filter(({ id }) => !state.callsSent.has(id));
  const effects = fresh.map((call): CloudEffect => ({ t: "send", message: { t: "calls", calls: [call], stamp } }));
  return { state: { ...state, callsSent: new Set([...state.callsSent, ...fresh.map(({ id }) => id)]) }, effects };
}

/** Each act once a session; in another the gateway knows it by its id. */
function alarmActs(state: CloudSession, pending: readonly AlarmAct[]): CloudStep {
  const acts = pending.filter(({ id }) => !state.actsSent.has(id));
  if (acts.length === 0) return { state, effects: [] };
  const actsSent = new Set([...state.actsSent, ...acts.map(({ id }) => id)]);
  return send({ ...state, actsSent }, { t: "alarm-acts", acts });
}

function tick(state: CloudSession, now: number, credit: Credit): CloudStep {
  if (state.phase === "greeting" && now - state.openedAt >= silentMicros) {
    return over(state, { t: "close", code: "link/silent", message: "Cannot open session: no hello came in time" });
  }
  if (now - state.heardAt >= silentMicros) {
    return over(state, {
      t: "close",
      code: "link/silent",
      message: `Cannot go on: nothing came from the gateway for ${Math.floor((now - state.heardAt) / 1e6)} s`,
    });
  }
  if (state.phase !== "open") return { state, effects: [] };
  if (now - state.heardAt >= quietMicros && now - state.pingedAt >= quietMicros) {
    const next = { ...state, pingedAt: now, pings: state.pings + 1 };
    return send(next, { t: "ping", n: next.pings, stamp: stampOf(next, now) });
  }
  return tellCredit(state, now, credit);
}

/** See `Stamp` of messages.ts. */
function stampOf(state: CloudSession, at: number): number {
  return Math.max(0, Math.floor(at - state.openedAt));
}

function refuse(
  state: CloudSession,
  why: { code: (CloudInput & { t: "refuse" })["code"]; message: string },
): CloudStep {
  return {
    state: { ...state, phase: "over" },
    effects: [
      { t: "send", message: { t: "refused", code: why.code, message: why.message, versions: linkVersions } },
      { t: "close", code: why.code, message: why.message },
    ],
  };
}

function send(state: CloudSession, message: (CloudEffect & { t: "send" })["message"]): CloudStep {
  return { state, effects: [{ t: "send", message }] };
}

function over(state: CloudSession, effect: CloudEffect): CloudStep {
  return { state: { ...state, phase: "over" }, effects: [effect] };
}
