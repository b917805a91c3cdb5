import {
  AppError,
  type BrowsedNode,
  type CloudControl,
  type ConnectionUid,
  codeOf,
  type ErrorCode,
  type IngestEntry,
  type IngestSession,
  limits,
  type NodeIdentity,
  traceId,
} from "@penstock/model";
import { type Clock, type Log, sleep } from "@penstock/runtime";
import { type Assigned, decodeBatchBody, type Hello, openLinkChannel, type Transport } from "@penstock/wire";
import { Browses } from "./browses.ts";
import { coalesced } from "./coalesced.ts";
import { commitThenAck } from "./commit-then-ack.ts";
import { controlWeight } from "./control-weight.ts";
import type { Credit } from "./credit.ts";
import type { LinkMetrics } from "./link-metrics.ts";
import { cloudStep, newCloudSession } from "./session.ts";
import type { CloudEffect, CloudInput, CloudSession } from "./session-state.ts";

/** between two sets: a gateway that takes up many changes in a row still has its time for collecting */
const assignedPauseMs = 100;

/** Who is at the other end, as its certificate says. */
export interface Peer extends NodeIdentity {
  /** SHA-256 of the certificate, lower-case hex */
  readonly fingerprint: string;
  /** address and port, for people */
  readonly remote: string;
}

export interface SessionOptions {
  readonly transport: Transport;
  readonly peer: Peer;
  readonly control: CloudControl;
  readonly clock: Clock;
  readonly log: Log;
  readonly stats: LinkMetrics;
  credit(): Credit;
  /** authorizes, replaces the node's older session, opens its source; rejects with the reason for a refusal */
  begin(hello: Hello): Promise<IngestSession>;
  /** counts a renewal; false when it is one too many */
  mayRenew(): boolean;
  /** bytes handed to ingest, or through: the server counts those of all sessions */
  onPending(change: number): void;
  onEnd(): void;
}

export interface RunningSession {
  readonly peer: Peer;
  /** welcomed and not over */
  readonly isOpen: boolean;
  assignedChanged(): void;
  desiredChanged(): void;
  callsChanged(): void;
  alarmActsChanged(): void;
  /** @throws AppError link/closed, request/too-many, mapper/… */
  browse(connection: ConnectionUid, path: readonly string[]): Promise<readonly BrowsedNode[]>;
  /** says why and closes */
  refuse(code: ErrorCode, message: string): void;
  tick(): void;
  /** resolves when nothing of it is in flight */
  readonly ended: Promise<void>;
}

/** Runs one session over an accepted connection. */
export function runCloudSession(options: SessionOptions): RunningSession {
  const { peer, control, clock, stats } = options;
  const log = options.log.with({ file: "cloud/src/link/run-session.ts", node: peer.node });
  const waiting: CloudInput[] = [];
  const inFlight = new Set<Promise<unknown>>();
  const ended = Promise.withResolvers<void>();
  let state: CloudSession = newCloudSession(clock.monotonic());
  let ingest: IngestSession | null = null;
  let isConnected = false;
  let isFeeding = false;
  let reason = "connection ended";
  let cancelAck: (() => void) | null = null;
  let counted = { duplicates: 0, ignored: 0 };
  let controlBytes = 0;

  const channel = openLinkChannel({
    transport: options.transport,
    after: (delayMs, run) => clock.after(delayMs, run),
    messageBytes: () => (state.phase === "greeting" ? limits.helloBytes : limits.messageBytes),
    onMessage: (_lane, message) => feed({ t: "message", message, now: clock.monotonic() }),
    onHeard: () => feed({ t: "heard", now: clock.monotonic() }),
    onBroken: fail,
    onClose(why) {
      if (state.phase !== "over") reason = why;
      void finish();
    },
  });

  function feed(input: CloudInput): void {
    waiting.push(input);
    if (isFeeding) return;
    isFeeding = true;
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const step = cloudStep(state, next);
        state = step.state;
        for (const effect of step.effects) perform(effect);
      }
    } catch (error) {
      fail(error);
    } finally {
      isFeeding = false;
    }
  }

  /** The session cannot go on: the gateway is told nothing more and begins again when it likes. */
  function fail(error: unknown): void {
    const code = codeOf(error);
    reason = error instanceof Error ? error.message : String(error);
    if (code === "internal") log.error({ err: error }, "Link session failed");
    else log.warn({ code, reason }, "Link session ended");
    if (code === "link/bad-frame" || code === "link/frame-too-large") stats.broken.add();
    state = { ...state, phase: "over" };
    channel.close(code === "internal" ? "internal error" : reason);
  }

  function track(work: Promise<unknown>): void {
    const watched = work.catch(fail).finally(() => inFlight.delete(watched));
    inFlight.add(watched);
  }

  /** Services take their time; who says more meanwhile than a healthy gateway has to say is let go. */
  function handOver(bytes: number, work: () => Promise<unknown>): void {
    if (controlBytes + bytes > limits.controlBytesInFlight) {
      stats.limited("controlBytesInFlight").add();
      fail(new AppError("request/too-many", `Cannot go on: more than ${limits.controlBytesInFlight} bytes under way`));
      return;
    }
    controlBytes += bytes;
    track(
      work().finally(() => {
        controlBytes -= bytes;
      }),
    );
  }

  const browses = new Browses({ clock, ask: (question) => feed(question) });
  // What is for a device goes after the set in which the device comes, so what is sent waits for it when it has been read.
  const pushAssigned = coalesced(
    async () => feed({ t: "assigned", set: await control.assigned(peer) }),
    () => sleep(clock, assignedPauseMs),
  );
  const pushDesired = coalesced(async () => {
    // Before the store is asked: what it takes is on the way too, and never may the stamp be later than the times to live.
    const asOf = clock.monotonic();
    const values = await control.pendingDesired(peer);
    await pushAssigned.settled();
    for (const { device, property, version } of log.tracing ? values : [])
      log.trace({ id: `${device}/${property}#${version}` }, "Desired value goes over the link");
    feed({ t: "desired", values, asOf });
  });
  const pushCalls = coalesced(async () => {
    const asOf = clock.monotonic();
    const calls = await control.pendingCalls(peer);
    await pushAssigned.settled();
    for (const { device, id } of log.tracing ? calls : [])
      log.trace({ id: `${device}/${id}` }, "Call goes over the link");
    feed({ t: "calls", calls, asOf });
  });

  const pushActs = coalesced(async () => {
    if (control.ruleAlarms !== undefined) feed({ t: "alarm-acts", acts: await control.ruleAlarms.pendingActs(peer) });
  });

  function perform(effect: CloudEffect): void {
    switch (effect.t) {
      case "send":
        if (effect.message.t === "ack") stats.acks.add();
        if (effect.message.t === "assigned") sendAssigned(effect.message);
        else channel.send("control", effect.message);
        return;
      case "begin":
        track(begin(effect.hello));
        return;
      case "opened":
        isConnected = true;
        control.nodeConnected(peer, {
          boot: effect.hello.boot,
          agentVersion: effect.hello.agent,
          remote: peer.remote,
        });
        log.debug({ remote: peer.remote, agent: effect.hello.agent }, "Gateway is connected");
        track(pushAssigned());
        track(pushDesired());
        track(pushCalls());
        track(pushActs());
        return;
      case "submit":
        submit(effect.entries, effect.bytes);
        return;
      case "ack-later":
        cancelAck = clock.after(effect.delayMs, () =>
          feed({ t: "ack-due", now: clock.monotonic(), credit: options.credit() }),
        );
        return;
      case "applied":
        control.applied(peer, effect.version);
        return;
      case "desired-taken":
        handOver(controlWeight(effect.taken), () => control.desiredTaken(peer, effect.taken));
        return;
      case "take-reports":
        handOver(controlWeight(effect.reports), () => takeReports(effect));
        return;
      case "take-holds":
        handOver(controlWeight(effect.holds), () => control.takeHolds(peer, effect.holds));
        return;
      case "calls-taken":
        handOver(effect.ids.length * 64, () => control.callsTaken(peer, effect.ids));
        return;
      case "take-call-reports":
        handOver(controlWeight(effect.reports), async () => {
          await control.takeCallReports(peer, effect.reports);
          feed({ t: "call-reports-taken", ids: effect.reports.map(({ id }) => id) });
        });
        return;
      case "take-alarms": {
        const { epoch, transitions } = effect;
        handOver(transitions.length * 512, async () => {
          // Where nobody keeps alarms they wait at the gateway.
          if (control.ruleAlarms === undefined) return;
          await control.ruleAlarms.takeTransitions(peer, epoch, transitions);
          feed({ t: "alarms-taken", epoch, numbers: transitions.map(({ number }) => number) });
        });
        return;
      }
      case "alarm-acts-done":
        handOver(effect.outcomes.length * 64, async () => control.ruleAlarms?.actsDone(peer, effect.outcomes));
        return;
      case "take-mappers":
        handOver(effect.mappers.length * 256, async () =>
          feed({ t: "need-manifests", hashes: await control.takeMappers(peer, effect.mappers) }),
        );
        return;
      case "take-manifest":
        handOver(effect.text.length, () => control.takeManifest(peer, effect.hash, effect.text));
        return;
      case "browsed":
        browses.answered(effect.answer);
        return;
      case "report":
        control.nodeReport(peer, effect.report);
        return;
      case "raise": {
        const { t: _, ...alarm } = effect;
        control.raise(peer, alarm);
        return;
      }
      case "renew":
        handOver(effect.publicKeyDer.length, () => renew(effect.publicKeyDer));
        return;
      case "limited":
        stats.limited(effect.limit).add();
        return;
      case "close":
        reason = effect.message;
        if (effect.code !== "link/closed") log.info({ code: effect.code, reason }, "Link session closes");
        channel.close(effect.message);
        return;
    }
  }

  /** A set beyond one message leaves the gateway at the one before it; its readings must flow all the same. */
  function sendAssigned(message: Assigned): void {
    const alarm = { code: "link/frame-too-large", key: "assigned" } as const;
    try {
      channel.send("control", message);
      control.clear(peer, alarm);
    } catch (error) {
      if (codeOf(error) !== alarm.code) throw error;
      const { devices, version } = message.set;
      const why = `Cannot send set ${version} of ${devices.length} devices: beyond ${limits.messageBytes} bytes; spread them over more gateways`;
      control.raise(peer, { ...alarm, message: why });
    }
  }

  async function begin(hello: Hello): Promise<void> {
    try {
      ingest = await options.begin(hello);
    } catch (error) {
      const code = codeOf(error);
      if (code === "internal") throw error;
      stats.refused.add();
      feed({ t: "refuse", code, message: error instanceof Error ? error.message : code });
      return;
    }
    const { held, newEpoch, gap } = ingest;
    feed({ t: "begun", held, newEpoch, gap, credit: options.credit(), time: clock.now(), now: clock.monotonic() });
  }

  function submit(entries: readonly IngestEntry[], bytes: number): void {
    const session = ingest;
    if (session === null) return;
    stats.readings.add(entries.reduce((sum, entry) => sum + entry.count, 0));
    if (log.tracing) {
      for (const { layout, body, firstSeq } of entries)
        log.trace({ id: traceId(decodeBatchBody(layout, body)), seq: firstSeq }, "Batch came over the link");
    }
    options.onPending(bytes);
    const settle = () => {
      options.onPending(-bytes);
      feed({ t: "settled", bytes });
    };
    const ack = (ranges: CloudSession["toAck"]) =>
      feed({ t: "committed", ranges, now: clock.monotonic(), credit: options.credit() });
    track(commitThenAck({ session, entries, ack }).finally(settle));
  }

  async function takeReports({ reports }: CloudEffect & { t: "take-reports" }): Promise<void> {
    for (const { device, property, version, state } of log.tracing ? reports : [])
      log.trace({ id: `${device}/${property}#${version}`, state }, "Report of a desired value came");
    await control.takeReports(peer, reports);
    const taken = reports.map(({ device, property, version, state }) => ({ device, property, version, state }));
    feed({ t: "reports-taken", taken });
  }

  /** One that is not due is left unanswered: a gateway whose clock is ahead asks again, and its readings flow meanwhile. */
  async function renew(publicKeyDer: Uint8Array): Promise<void> {
    if (!options.mayRenew()) {
      stats.limited("renewalsPerHour").add();
      return;
    }
    try {
      feed({ t: "certificate", ...(await control.renew(peer, publicKeyDer, peer.fingerprint)) });
    } catch (error) {
      if (codeOf(error) !== "request/too-many") throw error;
      stats.limited("renewalsPerHour").add();
      log.info({ reason: (error as Error).message }, "A renewal was not due");
    }
  }

  function countFrames(): void {
    const { duplicates, unknownLanes, unknownFields } = channel.counts;
    const ignored = unknownLanes + unknownFields + state.ignored;
    stats.duplicateFrames.add(duplicates - counted.duplicates);
    stats.ignored.add(ignored - counted.ignored);
    counted = { duplicates, ignored };
  }

  async function finish(): Promise<void> {
    state = { ...state, phase: "over" };
    cancelAck?.();
    browses.end();
    countFrames();
    while (inFlight.size > 0) await Promise.allSettled(inFlight);
    ingest?.end();
    if (isConnected) {
      control.nodeDisconnected(peer, reason);
      log.debug({ reason }, "Gateway is disconnected");
    }
    options.onEnd();
    ended.resolve();
  }

  return {
    peer,
    get isOpen() {
      return state.phase === "open";
    },
    assignedChanged() {
      if (state.phase === "open") track(pushAssigned());
    },
    desiredChanged() {
      if (state.phase === "open") track(pushDesired());
    },
    callsChanged() {
      if (state.phase === "open") track(pushCalls());
    },
    alarmActsChanged() {
      if (state.phase === "open") track(pushActs());
    },
    browse: (connection, path) => browses.ask(connection, path),
    refuse(code, message) {
      stats.refused.add();
      feed({ t: "refuse", code, message });
    },
    tick() {
      countFrames();
      feed({ t: "tick", now: clock.monotonic(), credit: options.credit() });
    },
    ended: ended.promise,
  };
}
