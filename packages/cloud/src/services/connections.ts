import { contract } from "@penstock/api";
import {
  type ConnectionSpec,
  type ConnectionStatus,
  type ConnectionUid,
  checkConnectionSpec,
  invalid,
  type LineHealth,
  type LineLoad,
  type NodeUid,
  type TenantUid,
} from "@penstock/model";
import { bumpAssigned } from "./assigned.ts";
import type { CheckingContext } from "./context.ts";
import { checkDependents, checkDeviceSpec, mustFind, withHint } from "./device-references.ts";
import { canonical } from "./json.ts";
import { createKindService, inUse } from "./kind-service.ts";
import type { LineLoads, LoadedLine } from "./line-loads.ts";
import { createLines, forgetLines } from "./line-places.ts";
import type { MapperFit } from "./mapper-fit.ts";
import type { NodeStatuses } from "./node-status.ts";
import { findRow, rowsNaming, specOf } from "./resource-rows.ts";

/** Buses that devices share. */
export function createConnections(
  context: CheckingContext,
  parts: { readonly statuses: NodeStatuses; readonly loads: LineLoads; readonly fit: MapperFit },
) {
  const { db, mappers, nudger } = context;
  return createKindService<"Connection", ConnectionSpec, ConnectionStatus>(context, {
    kind: "Connection",
    contract: contract.connections,
    scope: "tenant",
    async status(tenant, rows) {
      const nodes = new Map<string, string | undefined>();
      for (const name of new Set(rows.map((row) => specOf<ConnectionSpec>(row).node))) {
        nodes.set(name, (await findRow(db, tenant, "Node", name))?.uid);
      }
      const loads = await parts.loads.of(tenant, rows);
      return rows.map((row) => {
        const health = parts.statuses.line(nodes.get(specOf<ConnectionSpec>(row).node), row.uid as ConnectionUid);
        return connectionStatus(health, loads.get(row.name));
      });
    },
    async check({ trx, tenant, name, spec, before }) {
      const node = await mustFind(trx, { tenant, kind: "Node", name: spec.node, field: "spec.node" });
      const fields = checkConnectionSpec(spec, mappers.ofNode(tenant, node.uid));
      if (fields.length > 0) throw invalid(withHint(fields, { mappers, tenant, node }));
      if (before === null || canonical({ ...before, line: null }) === canonical({ ...spec, line: null })) return;
      const devices = await rowsNaming(trx, tenant, "Device", "connection", name);
      const instead = { connection: spec };
      const lines = createLines({ db: trx, tenant, mappers, instead });
      await checkDependents(devices, (device, named) =>
        checkDeviceSpec({ db: trx, mappers, tenant, name: named, spec: device, instead, lines }),
      );
      forgetLines(trx);
    },
    async changed({ trx, tenant, spec, before, uid }) {
      const node = (await findRow(trx, tenant, "Node", spec.node))!.uid;
      await bumpAssigned(trx, tenant, node);
      if (before === null) return () => nudger.assignedChanged(node as NodeUid);
      const fits = await parts.fit.settled(trx, { tenant, uid });
      const fitsAgain = await parts.fit.surroundingsChanged(trx, {
        tenant: tenant as TenantUid,
        node: node as NodeUid,
      });
      return () => {
        fits();
        fitsAgain();
        nudger.assignedChanged(node as NodeUid);
      };
    },
    async removing({ trx, tenant, row }) {
      const devices = await rowsNaming(trx, tenant, "Device", "connection", row.name);
      if (devices.length > 0) throw inUse("Connection", row.name, devices);
      return parts.fit.settled(trx, { tenant, uid: row.uid });
    },
  });
}

function connectionStatus(health: LineHealth | null, line: LoadedLine | undefined): ConnectionStatus {
  const load: LineLoad = {
    predictedPercent: line?.figures?.percent ?? null,
    predictedRequestsPerSecond: line?.figures?.requestsPerSecond ?? null,
    unpredicted: line?.unpredicted ?? null,
    most: line?.most ?? [],
    measuredPercent: health?.loadPercent ?? null,
    requestsPerSecond: health?.requestsPerSecond ?? null,
  };
  if (health === null) return { state: "unknown", reason: null, message: null, load };
  const { state, reason, message } = health;
  return { state: state === "waiting" ? "unknown" : state, reason, message, load };
}
