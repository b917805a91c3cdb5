import type { DeviceUid, NodeIdentity, NodeUid } from "@penstock/model";
import type { Alarms } from "./alarms.ts";
import type { ServiceContext } from "./context.ts";

const key = "readings";
/** After so long without another one it is over. */
const quietMs = 600_000;

/** A node sends readings of devices that were never its own: one alarm a node while that goes on. */
export function createUnassignedAlarms(context: Pick<ServiceContext, "clock">, alarms: Alarms) {
  const { clock } = context;
  const nodes = new Map<NodeUid, { readonly identity: NodeIdentity; last: number }>();
  let cancel: (() => void) | null = null;
  let isClosed = false;

  function look(): void {
    cancel = null;
    for (const [node, { identity, last }] of nodes) {
      if (clock.monotonic() - last < quietMs * 1000) continue;
      nodes.delete(node);
      alarms.clear(identity, { code: "ingest/not-assigned", key });
    }
    if (nodes.size > 0 && !isClosed) cancel = clock.after(quietMs / 10, look);
  }
  return {
    /** Cheap: the store hears of it once, however many come. */
    note(identity: NodeIdentity, device: DeviceUid): void {
      const known = nodes.get(identity.node);
      if (known !== undefined) {
        known.last = clock.monotonic();
        return;
      }
      nodes.set(identity.node, { identity, last: clock.monotonic() });
      const message = `The node sends readings of device ${device}, which was never assigned to it; they are not stored`;
      alarms.raise(identity, { code: "ingest/not-assigned", key, message });
      if (!isClosed) cancel ??= clock.after(quietMs / 10, look);
    },
    close(): void {
      isClosed = true;
      cancel?.();
    },
  };
}
