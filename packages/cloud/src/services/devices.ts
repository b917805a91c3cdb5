import { contract } from "@penstock/api";
import { AppError, type DeviceSpec, type DeviceStatus, formatMicros } from "@penstock/model";
import { assign, bumpAssigned } from "./assigned.ts";
import type { CheckingContext } from "./context.ts";
import type { Desired } from "./desired.ts";
import { checkDeviceSpec } from "./device-references.ts";
import { createKindService } from "./kind-service.ts";
import { forgetLines } from "./line-places.ts";
import type { Live } from "./live.ts";
import type { MapperFit } from "./mapper-fit.ts";
import { joinRollout, versionUntilItsWave } from "./model-versions.ts";
import type { NodeStatuses } from "./node-status.ts";
import { deviceUid, findRow, specOf } from "./resource-rows.ts";

/** Devices. A change bumps the assigned set of each node it touches and keeps the assignment history. */
export function createDevices(
  context: CheckingContext,
  parts: { readonly statuses: NodeStatuses; readonly live: Live; readonly desired: Desired; readonly fit: MapperFit },
) {
  const { db, mappers, clock, nudger } = context;
  return createKindService<"Device", DeviceSpec, DeviceStatus>(context, {
    kind: "Device",
    contract: contract.devices,
    scope: "tenant",
    async status(tenant, rows) {
      const nodes = new Map<string, string>();
      for (const name of new Set(rows.map((row) => specOf<DeviceSpec>(row).node))) {
        const node = await findRow(db, tenant, "Node", name);
        if (node !== undefined) nodes.set(name, node.uid);
      }
      const misfits = await parts.fit.of(
        db,
        tenant,
        rows.map((row) => row.uid),
      );
      return rows.map((row) => {
        const health = parts.statuses.device(nodes.get(specOf<DeviceSpec>(row).node), deviceUid(row));
        const last = parts.live.lastTime(deviceUid(row));
        const lastReadingAt = last === null ? null : formatMicros(last);
        return { ...health, lastReadingAt, findings: misfits.get(row.uid) ?? [] };
      });
    },
    async check({ trx, tenant, name, uid, spec }) {
      const held = await versionUntilItsWave(trx, { tenant, device: uid, spec });
      if (held !== null) {
        const instead = { model: { name: spec.model!, spec: held } };
        await checkDeviceSpec({ db: trx, mappers, tenant, name, spec, instead }).catch((error: unknown) => {
          throw untilItsWave(error, spec.model!);
        });
      }
      await checkDeviceSpec({ db: trx, mappers, tenant, name, spec });
    },
    async changed({ trx, tenant, spec, before, uid }) {
      const node = (await findRow(trx, tenant, "Node", spec.node))!.uid;
      const old = before === null ? undefined : (await findRow(trx, tenant, "Node", before.node))?.uid;
      const touched = new Set([node, ...(old === undefined ? [] : [old])]);
      await assign(trx, { tenant, device: uid, node, now: clock.now() });
      if (spec.model !== before?.model) await joinRollout(trx, { tenant, device: uid, spec });
      if (old !== undefined && old !== node) await parts.desired.moved(trx, { tenant, device: uid, node });
      const ended = before === null ? () => {} : await parts.desired.retyped(trx, { tenant, device: uid, spec });
      for (const one of touched) await bumpAssigned(trx, tenant, one);
      const fits = await parts.fit.settled(trx, { tenant, uid });
      return () => {
        ended();
        fits();
        for (const one of touched) nudger.assignedChanged(one as Parameters<typeof nudger.assignedChanged>[0]);
        if (old !== undefined && old !== node)
          nudger.desiredChanged(node as Parameters<typeof nudger.desiredChanged>[0]);
      };
    },
    async removing({ trx, tenant, row, spec }) {
      const node = (await findRow(trx, tenant, "Node", spec.node))?.uid;
      await assign(trx, { tenant, device: row.uid, node: null, now: clock.now() });
      const ended = await parts.desired.removed(trx, { tenant, device: row.uid });
      const fits = await parts.fit.settled(trx, { tenant, uid: row.uid });
      forgetLines(trx);
      if (node !== undefined) await bumpAssigned(trx, tenant, node);
      return () => {
        ended();
        fits();
        parts.live.forget(deviceUid(row));
        if (node !== undefined) nudger.assignedChanged(node as Parameters<typeof nudger.assignedChanged>[0]);
      };
    },
  });
}

/** The newest version is what people see: without this they would look in vain for what is wrong. */
function untilItsWave(error: unknown, model: string): unknown {
  if (!(error instanceof AppError)) return error;
  const note = `with the version of model "${model}" that the device has until its wave of the rollout`;
  const fields = error.fields.map((one) => ({ ...one, rule: `${one.rule}, ${note}` }));
  return new AppError(error.code, `${error.message}, ${note}`, { cause: error, fields });
}
