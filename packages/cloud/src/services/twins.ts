import {
  type Access,
  cadenceText,
  type DeviceUid,
  effectiveMethod,
  effectiveProperty,
  type MethodSpec,
  reportText,
  type ValueType,
} from "@penstock/model";
import type { Caller, ServiceContext } from "./context.ts";
import type { Desired } from "./desired.ts";
import type { DesiredView } from "./desired-news.ts";
import { findDevice } from "./device-lookup.ts";
import type { Holds, HoldView } from "./holds.ts";
import { type Live, type ReadingView, readingView } from "./live.ts";

export interface TwinProperty {
  property: string;
  type: ValueType;
  unit: string | null;
  displayName: string | null;
  access: Access;
  minimum: string | null;
  maximum: string | null;
  /** texts for people; null when it cannot be read */
  collect: string | null;
  report: string | null;
  reported: ReadingView | null;
  desired: DesiredView | null;
  /** a value set at the gateway holds it */
  hold: HoldView | null;
}

export interface TwinMethod {
  method: string;
  displayName: string | null;
  arguments: {
    name: string;
    type: ValueType;
    unit: string | null;
    minimum: string | null;
    maximum: string | null;
    isOptional: boolean;
  }[];
  resultType: ValueType | null;
  resultUnit: string | null;
  timeoutMs: number;
  sets: string[];
}

/** A device as it is and as it is wanted to be. */
export function createTwins(
  context: ServiceContext,
  parts: { readonly live: Live; readonly desired: Desired; readonly holds: Holds },
) {
  return {
    async get(
      caller: Caller,
      ref: { readonly tenant: string; readonly device: string },
    ): Promise<{ device: string; properties: TwinProperty[]; methods: TwinMethod[] }> {
      const device = await findDevice(context.db, caller, ref);
      const uid = device.row.uid as DeviceUid;
      const reported = await parts.live.values.get(device.tenant, uid, device.properties.keys());
      const desired = await parts.desired.ofDevice(device.tenant, uid, ref.device);
      const holds = await parts.holds.ofDevice(device.tenant, uid);
      const properties = [...device.properties].map(([name, spec]) => {
        const { isCalculated = false, ...shown } = effectiveProperty(name, spec);
        const { type, unit, access, minimum, maximum, collect, report } = shown;
        const last = reported.get(name);
        return {
          property: name,
          type,
          unit,
          displayName: spec.displayName ?? null,
          access,
          minimum,
          maximum,
          collect: collect === null ? null : cadenceText(collect),
          report: collect === null && !isCalculated ? null : reportText(report),
          reported: last === undefined ? null : readingView(last, ref.device),
          desired: desired.get(name) ?? null,
          hold: holds.get(name) ?? null,
        };
      });
      const methods = [...device.methods].map(([name, spec]) => twinMethod(name, spec));
      return { device: ref.device, properties, methods };
    },
  };
}
export type Twins = ReturnType<typeof createTwins>;

function twinMethod(name: string, spec: MethodSpec): TwinMethod {
  const { result, timeoutMs, sets, arguments: given } = effectiveMethod(name, spec);
  return {
    method: name,
    displayName: spec.displayName ?? null,
    arguments: given.map((one) => ({ ...one, unit: spec.arguments?.[one.name]?.unit ?? null })),
    ...{ resultType: result, resultUnit: spec.result?.unit ?? null, timeoutMs },
    sets: sets.map(({ property }) => property),
  };
}
