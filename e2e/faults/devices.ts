import { apiVersion, type DeviceSpec, formatDuration } from "@penstock/model";
import { loadDevices, type PlantDocument } from "@penstock/testkit";

/** unit id of the device with set-points; load devices stand above */
export const setpointUnit = 2;
export const setpointCount = 4;
export const setpointDevice = "setpoints";
export const setpointNames: readonly string[] = Array.from({ length: setpointCount }, (_, i) => `sp${i}`);

export interface FaultPlant {
  readonly host: string;
  readonly port: number;
  readonly node: string;
  readonly values: number;
}

/** Documents of the run's connection and devices. A cycle of a day stops collecting and changes nothing else. */
export function faultDevices(plant: FaultPlant, everyMs: number): PlantDocument[] {
  const properties: Record<string, NonNullable<DeviceSpec["properties"]>[string]> = {};
  for (const [i, name] of setpointNames.entries()) {
    properties[name] = {
      ...{ type: "uint32", access: "readWrite", visitor: { table: "holding", offset: i * 2, raw: "uint32" } },
      collect: { every: formatDuration(everyMs) },
    };
  }
  const spec = { node: plant.node, connection: "load", address: { unitId: setpointUnit }, properties };
  return [
    ...loadDevices({ ...plant, everyMs }),
    { apiVersion, kind: "Device", metadata: { name: setpointDevice }, spec },
  ];
}
