import {
  codeOf,
  type DesiredValue,
  type ErrorCode,
  isRetriable,
  limits,
  type MethodCall,
  type OutboxBounds,
  type OutboxEntry,
  traceId,
} from "@penstock/model";
import { sleep } from "@penstock/runtime";
import {
  type Browse,
  checkCloudMessage,
  decodeBatchBody,
  linkVersions,
  openLinkChannel,
  type Reports,
  type Transport,
} from "@penstock/wire";
import type { BootOffset } from "./correct-time.ts";
import type { LinkMetrics } from "./link-metrics.ts";
import type { LinkOptions } from "./link-options.ts";
import { edgeStep, newEdgeSession } from "./session.ts";
import type { EdgeEffect, EdgeInput, EdgeSession } from "./session-state.ts";

export interface SessionEnd {
  readonly code: ErrorCode;
  readonly message: string;
  readonly sent: number;
}

interface RunOptions extends LinkOptions {
  readonly transport: Transport;
  readonly stats: LinkMetrics;
  readonly bootOffset: BootOffset | null;
  readonly sent: number;
  readonly signal: AbortSignal;
  onWelcome(boot: BootOffset): void;
}

const tickMs = 1000;
const controlRetryMs = 1000;

/** Runs one session over an open connection; resolves when it has ended and nothing of it is in flight. */
export async function runEdgeSession(options: RunOptions): Promise<SessionEnd> {
  const { clock, outbox, control, stats, transport } = options;
  const log = options.log.with({ file: "edge/src/link/run-session.ts" });
  const waiting: EdgeInput[] = [];
  const inFlight = new Set<Promise<void>>();
  const finished = Promise.withResolvers<Omit<SessionEnd, "sent">>();
  const over = new AbortController();
  let controlChain: Promise<void> = Promise.resolve();
  let isFeeding = false;
  let counted = { duplicates: 0, ignored: 0 };
  let unknown = 0;

  /** Until the cloud has agreed to the numbers, those that were given since stay out of sight: they come as live then. */
  function offered(): OutboxBounds {
    const bounds = outbox.bounds();
    const { recovered, lowest } = bounds;
    return bounds.agreed ? bounds : { ...bounds, highest: recovered, lowest: Math.min(lowest, recovered + 1) };
  }

  // Told before the bounds are read, so that nothing falls between the two.
  const forgetDurable = outbox.onDurable(() =>
    feed({ t: "durable", highest: offered().highest, now: clock.monotonic() }),
  );
  const forgetReports = control.onReport(() => feed({ t: "reports", reports: control.pendingReports() }));
  const forgetCalls = control.onCallReport(() => feed({ t: "call-reports", reports: control.pendingCallReports() }));
  const forgetHolds = control.onHolds(() => feed({ t: "holds", holds: control.holds() }));
  const { alarms } = options;
  const alarmsInput = (): EdgeInput[] =>
    alarms === undefined ? [] : [{ t: "alarms", epoch: alarms.epoch(), transitions: alarms.pendingTransitions() }];
  const forgetAlarms = alarms?.onTransition(() => alarmsInput().forEach(feed));
  const forgetMappers = options.mappers.onChange(() => feed({ t: "mappers", mappers: options.mappers.list() }));
  const bounds = offered();
  const first = newEdgeSession({
    hello: {
      t: "hello",
      versions: linkVersions,
      features: [],
      agent: options.agentVersion,
      boot: options.boot,
      epoch: bounds.epoch,
      lowest: bounds.lowest,
      highest: bounds.highest,
      recovered: bounds.recovered,
      ...(bounds.settled !== null && bounds.settled.length <= limits.helloRanges ? { settled: bounds.settled } : {}),
      time: clock.now(),
      timeTrusted: options.timeTrusted(),
      assignedVersion: control.assignedVersion(),
    },
    boot: options.bootOffset,
    sent: options.sent,
    now: clock.monotonic(),
  });
  let state: EdgeSession = first.state;

  const channel = openLinkChannel({
    transport,
    after: (delayMs, run) => clock.after(delayMs, run),
    messageBytes: () => limits.messageBytes,
    onMessage(_lane, message) {
      const checked = checkCloudMessage(message);
      unknown += checked === null ? 1 : checked.unknownFields;
      if (checked !== null) feed({ t: "message", message: checked.message, now: clock.monotonic() });
    },
    onHeard: () => feed({ t: "heard", now: clock.monotonic() }),
    onBroken: (error) => finished.resolve({ code: error.code, message: error.message }),
    onClose: (reason) => finished.resolve({ code: "link/closed", message: `Connection ended: ${reason}` }),
  });

  function feed(input: EdgeInput): void {
    waiting.push(input);
    if (isFeeding) return;
    isFeeding = true;
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const step = edgeStep(state, next);
        state = step.state;
        for (const effect of step.effects) perform(effect);
      }
    } catch (error) {
      end(error);
    } finally {
      isFeeding = false;
    }
  }

  function end(error: unknown): void {
    state = { ...state, phase: "over" };
    const message = error instanceof Error ? error.message : String(error);
    if (codeOf(error) === "internal") log.error({ err: error }, "Link session failed");
    finished.resolve({ code: codeOf(error), message });
    channel.close(message);
  }

  function track(work: Promise<void>): void {
    const watched = work.catch(end).finally(() => inFlight.delete(watched));
    inFlight.add(watched);
  }

  /**
   * In the order they came; what is acknowledged is on disk by then. What the disk refuses is tried again while the session
   * lasts, since the cloud offers it a second time only at the next one; readings go on meanwhile.
   */
  function inOrder(what: string, work: () => Promise<void>): void {
    controlChain = controlChain.then(() => untilDone(what, work));
    track(controlChain);
  }

  async function untilDone(what: string, work: () => Promise<void>): Promise<void> {
    do {
      try {
        await work();
        return;
      } catch (err) {
        log.error({ err, what }, "Control message failed");
        if (!isRetriable(err)) return;
      }
      await sleep(clock, controlRetryMs, over.signal).catch(() => undefined);
    } while (!over.signal.aborted);
  }

  function perform(effect: EdgeEffect): void {
    switch (effect.t) {
      case "send":
        if (effect.message.t === "readings")
          stats.sentReadings.add(effect.message.entries.reduce((sum, entry) => sum + entry[1], 0));
        if (log.tracing && effect.message.t === "reports") traceReports(effect.message);
        channel.send(effect.lane, effect.message);
        return;
      case "read":
        track(
          outbox.read(effect.from, effect.maxBytes).then((entries) => {
            if (log.tracing) traceEntries(entries);
            feed({ t: "entries", lane: effect.lane, entries, now: clock.monotonic() });
          }),
        );
        return;
      case "acknowledge":
        outbox.acknowledge(effect.ranges);
        stats.ackedReadings.add(effect.ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0));
        return;
      case "new-epoch":
        track(
          outbox.newEpoch(effect.held).then((epoch) => {
            log.warn({ epoch }, "The cloud ordered a new epoch: it holds more of the old one than this outbox");
            finished.resolve({ code: "link/closed", message: "New epoch, saying hello again" });
            channel.close("new epoch");
          }),
        );
        return;
      case "welcomed":
        stats.sentAgain.add(effect.again);
        options.onWelcome(effect.boot);
        options.onTime({ offset: effect.boot.offset });
        log.info({ backlog: state.backlog.length, again: effect.again }, "Link is up");
        waiting.push({ t: "reports", reports: control.pendingReports() });
        waiting.push({ t: "call-reports", reports: control.pendingCallReports() });
        waiting.push(...alarmsInput());
        waiting.push({ t: "holds", holds: control.holds() });
        waiting.push({ t: "mappers", mappers: options.mappers.list() });
        waiting.push(tickInput());
        if (!outbox.bounds().agreed) track(untilDone("agree", agree));
        return;
      case "apply-assigned":
        inOrder("assigned", async () => {
          await control.applyAssigned(effect.set);
          feed({ t: "applied", version: effect.set.version });
        });
        return;
      case "take-desired":
        for (const { device, property, version } of log.tracing ? effect.values : [])
          log.trace({ id: `${device}/${property}#${version}` }, "Desired value came");
        takeDesired(effect.values, clock.monotonic());
        return;
      case "reports-taken":
        inOrder("reports-taken", () => control.reportsTaken(effect.taken));
        return;
      case "take-calls":
        takeCalls(effect.calls, clock.monotonic());
        return;
      case "give-manifests":
        giveManifests(effect.hashes);
        return;
      case "browse":
        track(browse(effect.question));
        return;
      case "call-reports-taken":
        inOrder("call-reports-taken", () => control.callReportsTaken(effect.ids));
        return;
      case "alarms-taken":
        inOrder("alarms-taken", async () => alarms?.transitionsTaken(effect.epoch, effect.numbers));
        return;
      case "take-alarm-acts":
        inOrder("alarm-acts", async () => {
          if (alarms !== undefined) feed({ t: "alarm-acts-done", outcomes: await alarms.takeActs(effect.acts) });
        });
        return;
      case "certificate":
        inOrder("certificate", () => options.onCertificate(effect.certificate));
        return;
      case "close":
        finished.resolve({ code: effect.code, message: effect.message });
        channel.close(effect.message);
        return;
    }
  }

  async function agree(): Promise<void> {
    await outbox.agree();
    feed({ t: "durable", highest: offered().highest, now: clock.monotonic() });
  }

  function takeDesired(values: readonly DesiredValue[], cameAt: number): void {
    inOrder("desired", async () => {
      // What was waited for others and for the disk is gone from the time to live.
      const waitedMs = (clock.monotonic() - cameAt) / 1000;
      await control.takeDesired(values.map((value) => ({ ...value, ttlMs: Math.max(0, value.ttlMs - waitedMs) })));
      feed({ t: "desired-taken", values, time: clock.now() });
    });
  }

  function takeCalls(calls: readonly MethodCall[], cameAt: number): void {
    for (const { id, device } of log.tracing ? calls : []) log.trace({ id: `${device}/${id}` }, "Call came");
    inOrder("calls", async () => {
      const waitedMs = (clock.monotonic() - cameAt) / 1000;
      await control.takeCalls(calls.map((call) => ({ ...call, ttlMs: Math.max(0, call.ttlMs - waitedMs) })));
      feed({ t: "calls-taken", ids: calls.map(({ id }) => id) });
    });
  }

  /** One that is not there any more is asked for no longer: a set without it has been told, or is on its way. */
  function giveManifests(hashes: readonly string[]): void {
    for (const hash of hashes) {
      const text = options.mappers.manifest(hash);
      if (text !== null) feed({ t: "manifest", hash, text });
    }
  }

  async function browse({ id, connection, path }: Browse): Promise<void> {
    try {
      feed({ t: "browsed", id, nodes: await options.browse(connection, path), error: null });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      feed({ t: "browsed", id, nodes: [], error: { code: codeOf(error), message } });
    }
  }

  function traceEntries(entries: readonly OutboxEntry[]): void {
    for (const { layout, body, firstSeq } of entries)
      log.trace({ id: traceId(decodeBatchBody(layout, body)), seq: firstSeq }, "Batch goes over the link");
  }

  function traceReports({ reports }: Reports): void {
    for (const { device, property, version, state } of reports)
      log.trace({ id: `${device}/${property}#${version}`, state }, "Report goes over the link");
  }

  function tickInput(): EdgeInput {
    return {
      t: "tick",
      now: clock.monotonic(),
      wall: clock.now(),
      lowest: offered().lowest,
      report: options.report(),
      certificate: options.certificate(),
    };
  }

  function tick(): void {
    const { duplicates, unknownLanes, unknownFields } = channel.counts;
    const ignored = unknownLanes + unknownFields + unknown;
    stats.duplicateFrames.add(duplicates - counted.duplicates);
    stats.ignored.add(ignored - counted.ignored);
    counted = { duplicates, ignored };
    stats.inFlightBytes.set(state.window.inFlight);
    stats.lineRate.set(state.window.rate);
    feed(tickInput());
    cancelTick = clock.after(tickMs, tick);
  }

  const onAbort = () => end(options.signal.reason);
  options.signal.addEventListener("abort", onAbort, { once: true });
  let cancelTick = clock.after(tickMs, tick);
  for (const effect of first.effects) perform(effect);
  if (options.signal.aborted) onAbort();
  const why = await finished.promise;
  state = { ...state, phase: "over" };
  options.signal.removeEventListener("abort", onAbort);
  over.abort();
  cancelTick();
  forgetDurable();
  forgetReports();
  forgetCalls();
  forgetHolds();
  forgetAlarms?.();
  forgetMappers();
  while (inFlight.size > 0) await Promise.allSettled(inFlight);
  stats.inFlightBytes.set(0);
  return { ...why, sent: state.sent };
}
