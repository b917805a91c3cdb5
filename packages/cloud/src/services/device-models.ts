import { contract } from "@penstock/api";
import {
  checkModelSpec,
  type DeviceModelSpec,
  type DeviceSpec,
  invalid,
  type NodeUid,
  type TenantUid,
} from "@penstock/model";
import { bumpAssigned } from "./assigned.ts";
import type { CheckingContext } from "./context.ts";
import type { Desired } from "./desired.ts";
import { checkDependents, checkDeviceSpec } from "./device-references.ts";
import { createKindService, inUse } from "./kind-service.ts";
import { createLines, forgetLines } from "./line-places.ts";
import type { MapperFit } from "./mapper-fit.ts";
import { mustNotRoll } from "./model-versions.ts";
import { findRow, rowsNaming, specOf } from "./resource-rows.ts";

/** Templates. A change reaches every device that uses the model, unless one of them would break. */
export function createDeviceModels(
  context: CheckingContext,
  parts: { readonly desired: Desired; readonly fit: MapperFit },
) {
  const { mappers, nudger } = context;
  return createKindService<"DeviceModel", DeviceModelSpec, Record<string, never>>(context, {
    kind: "DeviceModel",
    contract: contract.deviceModels,
    scope: "tenant",
    status: async (_, rows) => rows.map(() => ({})),
    async check({ trx, tenant, name, uid, spec, before }) {
      const fields = checkModelSpec(spec, mappers.ofTenant(tenant));
      if (fields.length > 0) throw invalid(fields);
      if (before === null) return;
      await mustNotRoll(trx, { tenant, uid, name });
      const devices = await rowsNaming(trx, tenant, "Device", "model", name);
      const instead = { model: { name, spec } };
      const lines = createLines({ db: trx, tenant, mappers, instead });
      await checkDependents(devices, (device, named) =>
        checkDeviceSpec({ db: trx, mappers, tenant, name: named, spec: device, instead, lines }),
      );
      forgetLines(trx);
    },
    async changed({ trx, tenant, name, before }) {
      if (before === null) return undefined;
      const devices = await rowsNaming(trx, tenant, "Device", "model", name);
      const ends: (() => void)[] = [];
      for (const { uid, spec } of devices.map((row) => ({ uid: row.uid, spec: specOf<DeviceSpec>(row) })))
        ends.push(await parts.desired.retyped(trx, { tenant, device: uid, spec }));
      const nodes: string[] = [];
      for (const node of new Set(devices.map((row) => specOf<DeviceSpec>(row).node))) {
        const uid = (await findRow(trx, tenant, "Node", node))?.uid;
        if (uid === undefined) continue;
        await bumpAssigned(trx, tenant, uid);
        const identity = { tenant: tenant as TenantUid, node: uid as NodeUid };
        ends.push(await parts.fit.surroundingsChanged(trx, identity));
        nodes.push(uid);
      }
      return () => {
        for (const end of ends) end();
        for (const node of nodes) nudger.assignedChanged(node as NodeUid);
      };
    },
    async removing({ trx, tenant, row }) {
      // It could come back under its uid, in the middle of a rollout to devices that it no longer has.
      await mustNotRoll(trx, { tenant, uid: row.uid, name: row.name });
      const devices = await rowsNaming(trx, tenant, "Device", "model", row.name);
      if (devices.length > 0) throw inUse("DeviceModel", row.name, devices);
      return undefined;
    },
  });
}
