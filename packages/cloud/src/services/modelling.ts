import { type DeviceUid, mergeDevice } from "@penstock/model";
import type { Caller, CheckingContext, Ref } from "./context.ts";
import type { Desired } from "./desired.ts";
import { createDeviceEffective } from "./device-effective.ts";
import type { createDeviceModels } from "./device-models.ts";
import type { createDevices } from "./devices.ts";
import type { Live } from "./live.ts";
import { createModelExtraction, type ExtractionRequest } from "./model-extraction.ts";
import { createModelPreview } from "./model-preview.ts";
import { createModelRollouts, type DeviceHealthOf, type RolloutRequest } from "./model-rollouts.ts";
import { modelOf } from "./model-versions.ts";
import type { NodeStatuses } from "./node-status.ts";
import { findRow } from "./resource-rows.ts";

/** Models: made of devices, seen in them, edited in waves. */
export function createModelling(
  context: CheckingContext,
  parts: {
    readonly devices: ReturnType<typeof createDevices>;
    readonly models: ReturnType<typeof createDeviceModels>;
    readonly desired: Desired;
    readonly statuses: NodeStatuses;
    readonly live: Live;
  },
) {
  const { db } = context;
  const healthOf: DeviceHealthOf = async (tenant, row, spec) => {
    const device = row.uid as DeviceUid;
    const node = await findRow(db, tenant, "Node", spec.node);
    const { state, reason, message } = parts.statuses.device(node?.uid, device);
    if (state === "offline") return message ?? reason ?? "offline";
    const model = await modelOf(db, { tenant, device, spec });
    const { properties } = mergeDevice(model?.spec ?? null, spec);
    for (const [property, last] of await parts.live.values.get(tenant, device, properties.keys())) {
      if (last.quality === "bad") return `property "${property}" is bad: ${last.reason ?? "no reason"}`;
    }
    return null;
  };
  const effective = createDeviceEffective(context);
  const extraction = createModelExtraction(context, parts);
  const previews = createModelPreview(context);
  const rollouts = createModelRollouts(context, { ...parts, healthOf });
  type DeviceRef = { readonly tenant: string; readonly device: string };
  return {
    effective: (caller: Caller, ref: DeviceRef) => effective.get(caller, ref),
    extractModel: (caller: Caller, ref: DeviceRef, request: ExtractionRequest) =>
      extraction.extract(caller, ref, request),
    preview: (caller: Caller, ref: Ref, input: unknown) => previews.preview(caller, ref, input),
    getRollout: (caller: Caller, ref: Ref) => rollouts.get(caller, ref),
    beginRollout: (caller: Caller, ref: Ref, request: RolloutRequest & { readonly ifMatch: string }) =>
      rollouts.begin(caller, ref, request),
    actRollout: (caller: Caller, ref: Ref, action: "pause" | "resume" | "cancel") => rollouts.act(caller, ref, action),
    start: () => rollouts.start(),
    close: () => rollouts.close(),
  };
}
