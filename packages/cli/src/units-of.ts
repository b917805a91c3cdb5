import type { Client } from "@penstock/api";

/**
 * Units of properties, which events do not carry: each device is asked for once, when it first says something. Without an
 * answer values stand without units.
 */
export function unitsOf(client: Client, tenant: string): (device: string, property: string) => Promise<string | null> {
  const devices = new Map<string, Promise<ReadonlyMap<string, string | null>>>();
  const ask = (device: string) =>
    client.twins.get({ params: { tenant, device } }).then(
      (twin) => new Map(twin.properties.map((one) => [one.property, one.unit])),
      () => new Map<string, string | null>(),
    );
  return async (device, property) => {
    const units = devices.get(device) ?? ask(device);
    devices.set(device, units);
    return (await units).get(property) ?? null;
  };
}
