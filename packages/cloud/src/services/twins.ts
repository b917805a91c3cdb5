import { type Access, type DeviceUid, effectiveProperty, type ValueType } from "@penstock/model";
import type { Caller, ServiceContext } from "./context.ts";
import type { Desired } from "./desired.ts";
import type { DesiredView } from "./desired-news.ts";
import { findDevice } from "./device-lookup.ts";
import { type Live, type ReadingView, readingView } from "./live.ts";

export interface TwinProperty {
  property: string;
  type: ValueType;
  unit: string | null;
  displayName: string | null;
  access: Access;
  minimum: string | null;
  maximum: string | null;
  reported: ReadingView | null;
  desired: DesiredView | null;
}

/** A device as it is and as it is wanted to be. */
export function createTwins(context: ServiceContext, parts: { readonly live: Live; readonly desired: Desired }) {
  return {
    async get(
      caller: Caller,
      ref: { readonly tenant: string; readonly device: string },
    ): Promise<{ device: string; properties: TwinProperty[] }> {
      const device = await findDevice(context.db, caller, ref);
      const uid = device.row.uid as DeviceUid;
      const reported = await parts.live.values.get(device.tenant, uid, device.properties.keys());
      const desired = await parts.desired.ofDevice(device.tenant, uid, ref.device);
      const properties = [...device.properties].map(([name, spec]) => {
        const { type, unit, access, minimum, maximum } = effectiveProperty(name, spec);
        const last = reported.get(name);
        return {
          property: name,
          type,
          unit,
          displayName: spec.displayName ?? null,
          access,
          minimum,
          maximum,
          reported: last === undefined ? null : readingView(last, ref.device),
          desired: desired.get(name) ?? null,
        };
      });
      return { device: ref.device, properties };
    },
  };
}
export type Twins = ReturnType<typeof createTwins>;
