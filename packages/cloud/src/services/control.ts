import { AppError, type CloudAlarms, type CloudControl, type NodeIdentity } from "@penstock/model";
import type { Alarms } from "./alarms.ts";
import type { Assigned } from "./assigned.ts";
import type { Calls } from "./calls.ts";
import { type Certificates, publicKeyFromDer } from "./certificates.ts";
import type { ServiceContext } from "./context.ts";
import type { Desired } from "./desired.ts";
import type { Holds } from "./holds.ts";
import type { LineAlarms } from "./line-alarms.ts";
import type { Mappers } from "./mappers.ts";
import type { NodeAlarms } from "./node-alarms.ts";
import type { NodeStatuses } from "./node-status.ts";

/** What the link asks of services. The tenant check here: the identity comes from the certificate, never from a message. */
export function createControl(
  context: ServiceContext,
  parts: {
    readonly assigned: Assigned;
    readonly desired: Desired;
    readonly holds: Holds;
    readonly calls: Calls;
    readonly alarms: Alarms;
    readonly ruleAlarms: CloudAlarms;
    readonly nodeAlarms: NodeAlarms;
    readonly lineAlarms: LineAlarms;
    readonly statuses: NodeStatuses;
    readonly certificates: Certificates;
    readonly mappers: Mappers;
  },
): CloudControl {
  const { db, log } = context;
  const { assigned, desired, holds, calls, alarms, nodeAlarms, lineAlarms, statuses, certificates, mappers } = parts;

  async function nodeRow({ tenant, node }: NodeIdentity) {
    const row = await db
      .selectFrom("resources")
      .selectAll()
      .where("tenant_uid", "=", tenant)
      .where("kind", "=", "Node")
      .where("uid", "=", node)
      .where("deleted_at", "is", null)
      .executeTakeFirst();
    if (row === undefined) throw new AppError("link/not-authorized", `Node ${node} does not exist`);
    return row;
  }

  return {
    ruleAlarms: parts.ruleAlarms,
    authorize: (identity, fingerprint) => certificates.authorize(identity, fingerprint),
    wasAssigned: ({ tenant, node }, device) => assigned.was(tenant, node, device),
    async assigned(identity) {
      return assigned.get(identity.tenant, await nodeRow(identity));
    },
    pendingDesired: ({ tenant, node }) => desired.pending(tenant, node),
    desiredTaken: ({ tenant, node }, taken) => desired.taken(tenant, node, taken),
    takeReports: ({ tenant, node }, reports) => desired.takeReports(tenant, node, reports),
    takeHolds: (identity, held) => holds.take(identity, held),
    pendingCalls: (identity) => calls.pending(identity),
    callsTaken: (identity, ids) => calls.taken(identity, ids),
    takeCallReports: (identity, reports) => calls.takeReports(identity, reports),
    takeMappers: (identity, told) => mappers.take(identity, told),
    takeManifest: (identity, hash, text) => mappers.takeManifest(identity, hash, text),
    nodeConnected(identity, { agentVersion, remote }) {
      const { node } = identity;
      statuses.connected(identity, agentVersion);
      log.info({ node, remote, agentVersion }, "Node connected");
    },
    nodeReport(identity, report) {
      statuses.report(identity, report);
      nodeAlarms.take(identity, report);
      lineAlarms.take(identity, report);
    },
    nodeDisconnected(identity, reason) {
      statuses.disconnected(identity);
      nodeAlarms.forget(identity);
      lineAlarms.forget(identity);
      log.info({ node: identity.node, reason }, "Node disconnected");
    },
    applied({ tenant, node }, version) {
      assigned.applied(tenant, node, version).catch((error: unknown) => {
        log.warn({ node, error: String(error) }, "Applied version could not be stored; the node says it again");
      });
    },
    raise(identity, { lost, ...alarm }) {
      if (lost === undefined) alarms.raise(identity, alarm);
      else alarms.lose(identity, lost);
    },
    clear: (identity, alarm) => alarms.clear(identity, alarm),
    async renew(identity, publicKeyDer, fingerprint) {
      const key = publicKeyFromDer(publicKeyDer);
      await certificates.isOwnKey(identity, key);
      await certificates.isDue(identity, fingerprint);
      const { certificatePem, trustBundlePem } = await certificates.issue(identity, key);
      return { certificatePem, trustBundlePem };
    },
  };
}
