import {
  type DeviceHealth,
  type DeviceStatus,
  type DeviceUid,
  type ErrorCode,
  formatMicros,
  type Micros,
  type NodeIdentity,
  type NodeReport,
  type NodeStatus,
  type NodeUid,
} from "@penstock/model";
import type { ServiceContext, Trx } from "./context.ts";

interface NodeState {
  readonly tenant: string;
  connected: boolean;
  lastSeen: Micros | null;
  agentVersion: string | null;
  report: NodeReport | null;
  health: ReadonlyMap<DeviceUid, DeviceHealth>;
  /** what was last said of each alarm; not heard since this process started when missing */
  readonly said: Map<ErrorCode, boolean>;
}

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
      const nothing = { lastSeen: null, agentVersion: null, report: null, said: new Map() };
      state = { tenant, connected: false, health: new Map(), ...nothing };
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
      heard(identity, { connected: true, agentVersion });
    },
    disconnected(identity: NodeIdentity): void {
      // A deleted node's link ends after it was forgotten.
      if (nodes.has(identity.node)) heard(identity, { connected: false });
    },
    report(identity: NodeIdentity, report: NodeReport): void {
      const health = new Map(report.devices.map((device) => [device.device, device]));
      heard(identity, { report, health, agentVersion: report.agentVersion });
    },
    /** true once for each change, and for the first word after a start, whose alarm may be from before it */
    isChanged({ tenant, node }: NodeIdentity, alarm: ErrorCode, isRaised: boolean): boolean {
      const { said } = at(tenant, node);
      const isChanged = said.get(alarm) !== isRaised;
      said.set(alarm, isRaised);
      return isChanged;
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
    /** A device behind a link that is down is offline, whatever was last heard of it. */
    device(node: string | undefined, device: DeviceUid): Pick<DeviceStatus, "state" | "reason"> {
      const state = node === undefined ? undefined : nodes.get(node as NodeUid);
      if (state?.connected !== true) return { state: "offline", reason: "link/closed" };
      const health = state.health.get(device);
      return health === undefined ? { state: "unknown", reason: null } : { state: health.state, reason: health.reason };
    },
  };
}
export type NodeStatuses = ReturnType<typeof createNodeStatuses>;
