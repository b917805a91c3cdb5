import { type ConnectionSpec, type EffectiveField, originsOf } from "@penstock/model";
import type { Caller, CheckingContext } from "./context.ts";
import { findDevice } from "./device-lookup.ts";
import { modelOf } from "./model-versions.ts";
import { findRow, specOf } from "./resource-rows.ts";

export interface EffectiveView {
  device: string;
  model: string | null;
  fields: EffectiveField[];
}

/** Every field of a device as it counts in the end, with who says so. */
export function createDeviceEffective(context: CheckingContext) {
  const { db, mappers } = context;
  return {
    async get(caller: Caller, ref: { readonly tenant: string; readonly device: string }): Promise<EffectiveView> {
      const { tenant, row, spec } = await findDevice(db, caller, ref);
      const model = (await modelOf(db, { tenant, device: row.uid, spec }))?.spec ?? null;
      const shared =
        typeof spec.connection === "string" ? await findRow(db, tenant, "Connection", spec.connection) : undefined;
      const connection = shared === undefined ? null : specOf<ConnectionSpec>(shared);
      const protocol = typeof spec.connection === "string" ? connection?.protocol : spec.connection.protocol;
      const node = await findRow(db, tenant, "Node", spec.node);
      const manifests = node === undefined ? mappers.own : mappers.ofNode(tenant, node.uid);
      const manifest = manifests.find(({ name }) => name === protocol) ?? null;
      return {
        device: ref.device,
        model: spec.model ?? null,
        fields: originsOf({ spec, model, connection, manifest }),
      };
    },
  };
}
