import { contract } from "@penstock/api";
import {
  checkMqttSpec,
  formatMicros,
  invalid,
  type Micros,
  type NodeSpec,
  type NodeStatus,
  type NodeUid,
  type TenantUid,
} from "@penstock/model";
import { bumpAssigned } from "./assigned.ts";
import type { CheckingContext } from "./context.ts";
import { createKindService, inUse } from "./kind-service.ts";
import type { NodeStatuses } from "./node-status.ts";
import { rowsNaming } from "./resource-rows.ts";

/** Gateways. Deleting one revokes its certificates and ends its link. */
export function createNodes(context: CheckingContext, statuses: NodeStatuses) {
  const { db, clock, mappers, nudger } = context;
  return createKindService<"Node", NodeSpec, NodeStatus>(context, {
    kind: "Node",
    contract: contract.nodes,
    scope: "tenant",
    async status(tenant, rows) {
      const certificates = await db
        .selectFrom("node_certificates")
        .select(["node_uid", db.fn.max("expires_at").as("expires_at")])
        .where("tenant_uid", "=", tenant)
        .where("revoked_at", "is", null)
        .where("node_uid", "in", rows.length === 0 ? [""] : rows.map((row) => row.uid))
        .groupBy("node_uid")
        .execute();
      const expires = new Map(certificates.map((row) => [row.node_uid, Number(row.expires_at) as Micros]));
      return rows.map((row) => {
        const expiresAt = expires.get(row.uid);
        return {
          ...statuses.node(row.uid as NodeUid),
          joined: expiresAt !== undefined,
          certificateExpiresAt: expiresAt === undefined ? null : formatMicros(expiresAt),
        };
      });
    },
    async check({ spec }) {
      if (spec.timeZone !== undefined && !isTimeZone(spec.timeZone)) {
        const rule = "must be an IANA time zone such as Asia/Shanghai";
        throw invalid([{ field: "spec.timeZone", value: `"${spec.timeZone}"`, rule }]);
      }
      const fields = checkMqttSpec(spec.mqtt ?? {});
      if (fields.length > 0) throw invalid(fields);
    },
    async changed({ trx, tenant, uid }) {
      await bumpAssigned(trx, tenant, uid);
      return () => nudger.assignedChanged(uid as NodeUid);
    },
    // Rules may be for gateways with certain labels.
    async relabelled({ trx, tenant, uid }) {
      await bumpAssigned(trx, tenant, uid);
      return () => nudger.assignedChanged(uid as NodeUid);
    },
    async removing({ trx, tenant, row }) {
      const users = [
        ...(await rowsNaming(trx, tenant, "Connection", "node", row.name)),
        ...(await rowsNaming(trx, tenant, "Device", "node", row.name)),
      ];
      if (users.length > 0) throw inUse("Node", row.name, users);
      const revoke = { revoked_at: clock.now() };
      for (const table of ["node_certificates", "join_tokens"] as const) {
        await trx
          .updateTable(table)
          .set(revoke)
          .where("tenant_uid", "=", tenant)
          .where("node_uid", "=", row.uid)
          .where("revoked_at", "is", null)
          .execute();
      }
      // Nobody could clear them later: only the node's own link and reports do.
      await trx
        .updateTable("alarms")
        .set({ cleared_at: revoke.revoked_at, state: "normal" })
        .where("tenant_uid", "=", tenant)
        .where("node_uid", "=", row.uid)
        .where("cleared_at", "is", null)
        .execute();
      await trx
        .updateTable("alarm_acts")
        .set({ state: "refused", reason: "rules/no-alarm", ended_at: revoke.revoked_at })
        .where("tenant_uid", "=", tenant)
        .where("node_uid", "=", row.uid)
        .where("state", "=", "pending")
        .execute();
      const node = row.uid as NodeUid;
      const identity = { tenant: tenant as TenantUid, node };
      const forget = await statuses.removed(trx, identity);
      const forgetMappers = await mappers.removed(trx, identity);
      return () => {
        forget();
        forgetMappers();
        nudger.disconnect(node, "link/not-authorized");
      };
    },
  });
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
