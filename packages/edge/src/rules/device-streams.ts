import type { DeviceUid, EffectiveDevice } from "@penstock/model";
import { type Catalog, columnTypeOf, type Value } from "@penstock/rules";

/** Every device is a stream, without any declaration: its properties are the columns, of the types that the device has. */
export interface DeviceStreams {
  readonly catalog: Catalog;
  /** null where there is no such device */
  find(stream: string): EffectiveDevice | null;
  /** what `meta(…)` knows of a device, beside its readings */
  metaOf(device: EffectiveDevice): { readonly [name: string]: Value };
}

export function deviceStreams(devices: readonly EffectiveDevice[], tenant: string): DeviceStreams {
  const byName = new Map(devices.map((device) => [device.name, device]));
  const find = (stream: string) => byName.get(stream) ?? null;
  return {
    find,
    catalog(name) {
      const device = find(name);
      if (device === null) return null;
      return {
        name,
        columns: new Map(device.properties.map((property) => [property.name, columnTypeOf(property.type)])),
      };
    },
    metaOf: ({ name, uid, properties }) => ({
      ...{ tenant, device: name, uid: uid satisfies DeviceUid as string },
      unit: Object.fromEntries(properties.flatMap((one) => (one.unit === null ? [] : [[one.name, one.unit]]))),
      type: Object.fromEntries(properties.map((one) => [one.name, one.type])),
    }),
  };
}
