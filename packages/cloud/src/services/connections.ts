import { contract } from "@penstock/api";
import {
  type ConnectionSpec,
  type ConnectionStatus,
  checkAgainstManifest,
  invalid,
  type NodeUid,
} from "@penstock/model";
import { bumpAssigned } from "./assigned.ts";
import type { ServiceContext } from "./context.ts";
import { checkDependents, checkDeviceSpec, mustFind, mustManifest } from "./device-references.ts";
import { createKindService, inUse } from "./kind-service.ts";
import { findRow, rowsNaming } from "./resource-rows.ts";

const noLoad = { predictedPercent: null, measuredPercent: null, requestsPerSecond: null };

/** Buses that devices share. */
export function createConnections(context: ServiceContext) {
  const { manifests, nudger } = context;
  return createKindService<"Connection", ConnectionSpec, ConnectionStatus>(context, {
    kind: "Connection",
    contract: contract.connections,
    scope: "tenant",
    status: async (_, rows) => rows.map(() => ({ state: "unknown", reason: null, message: null, load: noLoad })),
    async check({ trx, tenant, name, spec, before }) {
      await mustFind(trx, { tenant, kind: "Node", name: spec.node, field: "spec.node" });
      const manifest = mustManifest(manifests, spec.protocol, "spec.protocol");
      const settings = { connection: spec.settings ?? {} };
      const fields = checkAgainstManifest(manifest, settings, { connection: "spec.settings" });
      if (fields.length > 0) throw invalid(fields);
      if (before === null || (before.node === spec.node && before.protocol === spec.protocol)) return;
      const devices = await rowsNaming(trx, tenant, "Device", "connection", name);
      await checkDependents(devices, (device) =>
        checkDeviceSpec({ db: trx, manifests, tenant, spec: device, instead: { connection: spec } }),
      );
    },
    async changed({ trx, tenant, spec, before }) {
      // A new connection serves nobody yet: the device that names it brings the next version.
      if (before === null) return undefined;
      const node = (await findRow(trx, tenant, "Node", spec.node))!.uid;
      await bumpAssigned(trx, tenant, node);
      return () => nudger.assignedChanged(node as NodeUid);
    },
    async removing({ trx, tenant, row }) {
      const devices = await rowsNaming(trx, tenant, "Device", "connection", row.name);
      if (devices.length > 0) throw inUse("Connection", row.name, devices);
      return undefined;
    },
  });
}
