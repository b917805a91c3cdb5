import {
  AppError,
  type CloudControl,
  type ErrorCode,
  errors,
  type Ingest,
  type IngestSession,
  limits,
  type NodeNudger,
  type NodeUid,
} from "@penstock/model";
import type { Clock, Log, Metrics } from "@penstock/runtime";
import type { Hello, Transport } from "@penstock/wire";
import { createAllowance } from "./allowance.ts";
import { type Credit, creditFor } from "./credit.ts";
import { type BootSightings, isDuplicate, noSightings, sawBoot } from "./duplicate-node.ts";
import { linkMetrics } from "./link-metrics.ts";
import { type Peer, type RunningSession, runCloudSession } from "./run-session.ts";

export interface LinkServerOptions {
  readonly ingest: Ingest;
  readonly control: CloudControl;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** readings that all sessions together may have handed to ingest and not seen committed; default 128 MiB */
  readonly budgetBytes?: number;
}

export interface LinkServer extends NodeNudger {
  /** takes over an open connection whose other end has proved who it is */
  accept(transport: Transport, peer: Peer): void;
  /** resolves when every session has ended and nothing is in flight */
  close(): Promise<void>;
}

const tickMs = 1000;
const duplicateKey = "boot";

/** Holds the sessions of all gateways: one per node, a newer one closes the older. */
export function createLinkServer(options: LinkServerOptions): LinkServer {
  const { ingest, control, clock } = options;
  const stats = linkMetrics(options.metrics);
  const budgetBytes = options.budgetBytes ?? 128 * 1024 * 1024;
  const all = new Set<RunningSession>();
  const byNode = new Map<NodeUid, RunningSession>();
  const sightings = new Map<NodeUid, { boots: BootSightings; raisedFor: Peer | null }>();
  const sessions = createAllowance(clock, { ms: 60_000, most: limits.sessionsPerMinute });
  const epochs = createAllowance(clock, { ms: 3_600_000, most: limits.epochsPerHour });
  const renewals = createAllowance(clock, { ms: 3_600_000, most: limits.renewalsPerHour });
  let accepted = 0;
  let pendingBytes = 0;
  /** sessions with something pending */
  let active = 0;
  let isClosed = false;

  const credit = (): Credit => creditFor({ pendingBytes, budgetBytes, active });

  async function begin(session: () => RunningSession, peer: Peer, hello: Hello): Promise<IngestSession> {
    await control.authorize(peer, peer.fingerprint);
    if (!epochs.allow(peer.node, hello.epoch)) {
      stats.limited("epochsPerHour").add();
      const text = `Cannot open session: more than ${limits.epochsPerHour} epochs of this node within an hour`;
      throw new AppError("request/too-many", text);
    }
    noticeDuplicates(peer, hello);
    const older = byNode.get(peer.node);
    byNode.set(peer.node, session());
    stats.sessions.set(byNode.size);
    if (older !== undefined) {
      older.refuse("link/replaced", `Cannot go on: a newer session of this node came from ${peer.remote}`);
      // Its commits end before the newer one asks what is committed; ingest fences it besides.
      await older.ended;
    }
    const { boot, epoch, lowest, highest, recovered, settled = null } = hello;
    return ingest.begin(peer, { boot, epoch, lowest, highest, recovered, settled });
  }

  function noticeDuplicates(peer: Peer, hello: Hello): void {
    const now = clock.monotonic();
    const before = sightings.get(peer.node) ?? { boots: noSightings, raisedFor: null };
    const boots = sawBoot(before.boots, hello.boot, now);
    const raised = isDuplicate(boots, now);
    sightings.set(peer.node, { boots, raisedFor: raised ? peer : before.raisedFor });
    if (!raised) return;
    control.raise(peer, {
      code: "link/duplicate-node",
      key: duplicateKey,
      message: `Two machines use the certificate of this node in turns; the last one came from ${peer.remote}`,
    });
  }

  function forgetSightings(): void {
    const now = clock.monotonic();
    for (const [node, { boots, raisedFor }] of sightings) {
      if (raisedFor !== null && !isDuplicate(boots, now)) {
        control.clear(raisedFor, { code: "link/duplicate-node", key: duplicateKey });
        sightings.set(node, { boots, raisedFor: null });
      }
      const isOld = boots.seen.every(({ at }) => now - at > 3_600_000_000);
      if (isOld) sightings.delete(node);
    }
  }

  function tick(): void {
    for (const session of all) session.tick();
    forgetSightings();
    stats.pendingBytes.set(pendingBytes);
    cancelTick = clock.after(tickMs, tick);
  }
  let cancelTick = clock.after(tickMs, tick);

  return {
    accept(transport, peer) {
      if (isClosed) {
        transport.close("the cloud stops");
        return;
      }
      if (!sessions.allow(peer.node, `${accepted++}`)) {
        stats.limited("sessionsPerMinute").add();
        transport.close(`more than ${limits.sessionsPerMinute} sessions of this node within a minute`);
        return;
      }
      let own = 0;
      const session: RunningSession = runCloudSession({
        transport,
        peer,
        control,
        clock,
        log: options.log,
        stats,
        credit,
        begin: (hello) => begin(() => session, peer, hello),
        mayRenew: () => renewals.allow(peer.node, `${accepted++}`),
        onPending(change) {
          pendingBytes += change;
          active += Number(own + change > 0) - Number(own > 0);
          own += change;
        },
        onEnd() {
          all.delete(session);
          if (byNode.get(peer.node) === session) byNode.delete(peer.node);
          stats.sessions.set(byNode.size);
        },
      });
      all.add(session);
    },
    assignedChanged: (node) => byNode.get(node)?.assignedChanged(),
    desiredChanged: (node) => byNode.get(node)?.desiredChanged(),
    callsChanged: (node) => byNode.get(node)?.callsChanged(),
    alarmActsChanged: (node) => byNode.get(node)?.alarmActsChanged(),
    async browse(node, connection, path) {
      const session = byNode.get(node);
      if (session?.isOpen !== true) throw new AppError("link/closed", "Cannot browse: the gateway is not connected");
      return session.browse(connection, path);
    },
    disconnect(node: NodeUid, code: ErrorCode) {
      byNode.get(node)?.refuse(code, `Cannot go on: ${errors[code].means}`);
    },
    isConnected: (node) => byNode.get(node)?.isOpen ?? false,
    async close() {
      isClosed = true;
      cancelTick();
      const running = [...all];
      for (const session of running) session.refuse("link/closed", "The cloud stops");
      await Promise.all(running.map((session) => session.ended));
    },
  };
}
