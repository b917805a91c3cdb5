import type { CommittedBatch, DeviceUid, Ingest, NodeIdentity, SeriesStore } from "@penstock/model";
import type { Log, Metrics } from "@penstock/runtime";
import { createLayoutUse } from "./layout-use.ts";
import { ingestMetrics } from "./metrics.ts";
import { createSession } from "./session.ts";

export interface IngestOptions {
  readonly store: Pick<SeriesStore, "openSource" | "commit" | "defineLayout">;
  /** CloudControl.wasAssigned: is the device, or was it once, this node's */
  readonly wasAssigned: (identity: NodeIdentity, device: DeviceUid) => Promise<boolean>;
  /** called after each commit, in commit order within a node's session; must not throw */
  readonly onCommitted: (committed: CommittedBatch) => void;
  /** told of a device that was never this node's, once a message that has readings of it */
  readonly onUnassigned?: (identity: NodeIdentity, device: DeviceUid) => void;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The stage between link and store: each reading is stored exactly once, and acknowledged only then. */
export function createIngest(options: IngestOptions): Ingest {
  const log = options.log.with({ stage: "ingest" });
  const metrics = ingestMetrics(options.metrics);
  const layoutUse = createLayoutUse(metrics);
  return {
    async begin(identity, hello) {
      const { tenant, node } = identity;
      const source = await options.store.openSource({ tenant, node, epoch: hello.epoch, boot: hello.boot });
      const session = createSession({ ...options, identity, hello, source, log, metrics, layoutUse });
      if (session.newEpoch) {
        log.warn(
          { tenant, node, epoch: hello.epoch },
          "The gateway must begin a new epoch: the cloud holds more of this one",
        );
      }
      if (session.gap.length > 0)
        log.warn({ tenant, node, gap: session.gap }, "Readings were lost before they arrived");
      return session;
    },
  };
}
