import {
  type DeviceHealth,
  type DeviceStatus,
  type DeviceUid,
  formatMicros,
  type Micros,
  type NodeReport,
  type NodeStatus,
  type NodeUid,
} from "@penstock/model";
import type { Clock } from "@penstock/runtime";

interface NodeState {
  connected: boolean;
  lastSeen: Micros | null;
  agentVersion: string | null;
  report: NodeReport | null;
  health: ReadonlyMap<DeviceUid, DeviceHealth>;
  /** null = not heard since this process started */
  wasFull: boolean | null;
}

/** What the link says of nodes. In memory only: after a restart each node says it again when it connects. */
export function createNodeStatuses(clock: Clock) {
  const nodes = new Map<NodeUid, NodeState>();
  function at(node: NodeUid): NodeState {
    let state = nodes.get(node);
    if (state === undefined) {
      state = { connected: false, lastSeen: null, agentVersion: null, report: null, health: new Map(), wasFull: null };
      nodes.set(node, state);
    }
    return state;
  }
  return {
    connected(node: NodeUid, agentVersion: string): void {
      Object.assign(at(node), { connected: true, agentVersion, lastSeen: clock.now() });
    },
    disconnected(node: NodeUid): void {
      Object.assign(at(node), { connected: false, lastSeen: clock.now() });
    },
    report(node: NodeUid, report: NodeReport): void {
      const health = new Map(report.devices.map((device) => [device.device, device]));
      Object.assign(at(node), { report, health, agentVersion: report.agentVersion, lastSeen: clock.now() });
    },
    /** true once for each change, and for the first word after a start, whose alarm may be from before it */
    isFullChanged(node: NodeUid, isFull: boolean): boolean {
      const state = at(node);
      const isChanged = state.wasFull !== isFull;
      state.wasFull = isFull;
      return isChanged;
    },
    node(node: NodeUid): Pick<NodeStatus, "connected" | "lastSeenAt" | "agentVersion" | "outbox"> {
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
