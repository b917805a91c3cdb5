import { apiVersion, type DeviceSpec, formatDuration } from "@penstock/model";
import { loadDevices, type PlantDocument } from "@penstock/testkit";
import { firstOrderUnit, orderDevices, orderProperties, registersEach } from "./order-device.ts";

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
  const settable = (name: string, unitId: number, names: readonly string[]): PlantDocument => {
    const properties: Record<string, NonNullable<DeviceSpec["properties"]>[string]> = {};
    for (const [i, property] of names.entries()) {
      properties[property] = {
        ...{ type: "uint32", access: "readWrite" },
        visitor: { table: "holding", offset: i * registersEach, raw: "uint32" },
        collect: { every: formatDuration(everyMs) },
      };
    }
    const spec = { node: plant.node, connection: "load", address: { unitId }, properties };
    return { apiVersion, kind: "Device", metadata: { name }, spec };
  };
  return [
    ...loadDevices({ ...plant, everyMs }),
    settable(setpointDevice, setpointUnit, setpointNames),
    ...orderDevices.map((name, i) => settable(name, firstOrderUnit + i, orderProperties)),
  ];
}
