import {
  type ConnectionUid,
  type CycleHealth,
  cadenceText,
  type DeviceHealth,
  type DeviceStatus,
  type DeviceUid,
  formatMicros,
  type LineHealth,
  limits,
  type Micros,
  type NodeIdentity,
  type NodeReport,
  type NodeStatus,
  type NodeUid,
  type RuleHealth,
  type RuleUid,
} from "@penstock/model";
import type { ServiceContext, Trx } from "./context.ts";

interface NodeState {
  readonly tenant: string;
  connected: boolean;
  lastSeen: Micros | null;
  agentVersion: string | null;
  report: NodeReport | null;
  /** when the link went down, if this process saw it */
  lostAt: Micros | null;
  health: ReadonlyMap<DeviceUid, Seen>;
  cycles: ReadonlyMap<DeviceUid, readonly CycleHealth[]>;
  lines: ReadonlyMap<ConnectionUid, LineHealth>;
  rules: ReadonlyMap<RuleUid, RuleHealth>;
}
/** A device as its gateway last described it, and since when it has been in that state. */
interface Seen extends DeviceHealth {
  readonly since: Micros;
}
/** What the gateway says of a device, or what follows from its silence. */
export type DevicePresence = Pick<DeviceStatus, "state" | "reason" | "message" | "since" | "cycles">;

/** How far the stored sightings may be behind, and how many go into one statement. */
const keepEveryMs = 60_000;
const rowsPerStatement = 500;

/**
 * What the link says of nodes, in memory: after a restart each node says it again when it connects. Only when a node was
 * last heard of is kept over a restart, at most a minute behind: it is what people ask of a node that is away.
 */
export function createNodeStatuses(context: Pick<ServiceContext, "db" | "clock" | "log">) {
  const { db, clock, log } = context;
  const nodes = new Map<NodeUid, NodeState>();
  /** heard of since the sightings were last kept */
  let fresh = new Set<NodeUid>();
  let cancel: (() => void) | null = null;
  let keeping: Promise<void> = Promise.resolve();
  let isClosed = false;

  function at(tenant: string, node: NodeUid): NodeState {
    let state = nodes.get(node);
    if (state === undefined) {
      const nothing = { lastSeen: null, agentVersion: null, report: null, lostAt: null };
      state = {
        tenant,
        connected: false,
        health: new Map(),
        cycles: new Map(),
        lines: new Map(),
        rules: new Map(),
        ...nothing,
      };
      nodes.set(node, state);
    }
    return state;
  }
  function heard({ tenant, node }: NodeIdentity, news: Partial<NodeState>): void {
    Object.assign(at(tenant, node), news, { lastSeen: clock.now() });
    fresh.add(node);
    if (isClosed) return;
    cancel ??= clock.after(keepEveryMs, () => {
      cancel = null;
      keeping = keeping.then(keep);
    });
  }
  async function keep(): Promise<void> {
    const due = [...fresh];
    fresh = new Set();
    const rows = due.flatMap((node) => {
      const state = nodes.get(node);
      if (state === undefined || state.lastSeen === null) return [];
      const { tenant, lastSeen, agentVersion } = state;
      return [{ tenant_uid: tenant, node_uid: node, last_seen_at: lastSeen, agent_version: agentVersion }];
    });
    try {
      for (let from = 0; from < rows.length; from += rowsPerStatement) {
        await db
          .insertInto("node_sightings")
          .values(rows.slice(from, from + rowsPerStatement))
          .onConflict((conflict) =>
            conflict.columns(["tenant_uid", "node_uid"]).doUpdateSet((eb) => ({
              last_seen_at: eb.ref("excluded.last_seen_at"),
              agent_version: eb.ref("excluded.agent_version"),
            })),
          )
          .execute();
      }
    } catch (error) {
      // The next word of these nodes brings them here again.
      log.warn({ error: String(error) }, "When nodes were last seen could not be stored");
    }
  }
  return {
    /** takes up what an earlier process kept */
    async start(): Promise<void> {
      for (const row of await db.selectFrom("node_sightings").selectAll().execute()) {
        const state = at(row.tenant_uid, row.node_uid as NodeUid);
        Object.assign(state, { lastSeen: row.last_seen_at, agentVersion: row.agent_version });
      }
    },
    /** keeps what is new; resolves when nothing is in flight */
    async close(): Promise<void> {
      isClosed = true;
      cancel?.();
      await keeping;
      await keep();
    },
    /** The node is deleted. Returns what forgets it here, for after the commit. */
    async removed(trx: Trx, { tenant, node }: NodeIdentity): Promise<() => void> {
      await trx.deleteFrom("node_sightings").where("tenant_uid", "=", tenant).where("node_uid", "=", node).execute();
      return () => void nodes.delete(node);
    },
    connected(identity: NodeIdentity, agentVersion: string): void {
      heard(identity, { connected: true, agentVersion, lostAt: null });
    },
    disconnected(identity: NodeIdentity): void {
      // A deleted node's link ends after it was forgotten.
      if (nodes.has(identity.node)) heard(identity, { connected: false, lostAt: clock.now() });
    },
    report(identity: NodeIdentity, report: NodeReport): void {
      const now = clock.now();
      const before = nodes.get(identity.node)?.health;
      const health = new Map(
        report.devices.map((device) => {
          const known = before?.get(device.device);
          return [device.device, { ...device, since: known?.state === device.state ? known.since : now }];
        }),
      );
      const cycles = Map.groupBy(report.cycles, ({ device }) => device);
      const lines = new Map(report.lines.map((line) => [line.connection, line]));
      const rules = new Map(report.rules?.map((rule) => [rule.rule, rule]));
      heard(identity, { report, health, cycles, lines, rules, agentVersion: report.agentVersion });
    },
    node(node: NodeUid): Pick<NodeStatus, "connected" | "lastSeenAt" | "agentVersion" | "outbox" | "counters"> {
      const state = nodes.get(node);
      const outbox = state?.report?.outbox;
      return {
        connected: state?.connected ?? false,
        lastSeenAt: state?.lastSeen == null ? null : formatMicros(state.lastSeen),
        agentVersion: state?.agentVersion ?? null,
        outbox:
          outbox === undefined
            ? null
            : {
                readings: outbox.readings,
                bytes: outbox.bytes,
                oldestAgeMs: outbox.oldestAgeMs,
                dropped: outbox.dropped,
                refused: outbox.refused,
                full: outbox.full,
              },
        counters: state?.report?.counters ?? {},
      };
    },
    /**
     * A device behind a link that is down is offline, whatever was last heard of it. The gateway notices a dead device within
     * the bound of its collect stage; this server notices a dead link when it breaks, or after its silence.
     */
    device(node: string | undefined, device: DeviceUid): DevicePresence {
      const state = node === undefined ? undefined : nodes.get(node as NodeUid);
      const cycles = state?.cycles.get(device)?.map(cycleView) ?? [];
      if (state?.connected !== true) {
        const since = state?.lostAt ?? state?.lastSeen ?? null;
        const message = since === null ? "Its gateway has never connected" : "Its gateway is not connected";
        return { state: "offline", reason: "link/closed", message, since: timeOf(since), cycles };
      }
      const seen = state.health.get(device);
      if (seen === undefined) return { state: "unknown", reason: null, message: null, since: null, cycles };
      return { state: seen.state, reason: seen.reason, message: seen.message, since: timeOf(seen.since), cycles };
    },
    /** as its gateway last said it; null when it does not say. A rule runs on while its gateway is away */
    rule: (node: NodeUid, rule: RuleUid): RuleHealth | null => nodes.get(node)?.rules.get(rule) ?? null,
    /** it has so many rules that it tells only of those that are not well first */
    tellsFewRules: (node: NodeUid): boolean => (nodes.get(node)?.rules.size ?? 0) >= limits.rulesTold,
    /** null when its gateway does not say, or is not connected */
    line(node: string | undefined, connection: ConnectionUid): LineHealth | null {
      const state = node === undefined ? undefined : nodes.get(node as NodeUid);
      return state?.connected === true ? (state.lines.get(connection) ?? null) : null;
    },
  };
}
export type NodeStatuses = ReturnType<typeof createNodeStatuses>;

function timeOf(time: Micros | null): string | null {
  return time === null ? null : formatMicros(time);
}

function cycleView({ cadence, properties, measuredMs, longestMs, reportMs, overruns, isOverrun }: CycleHealth) {
  return { cadence: cadenceText(cadence), properties, measuredMs, longestMs, reportMs, overruns, isOverrun };
}
