import type { Access, ValueType } from "@penstock/model";
import type { RawType, WordOrder } from "../modbus-server/registers.ts";
import type { Table } from "../modbus-server/request.ts";
import { bottlesPerSecond, conveyorLimits, flagWord, type Line, lineFlags } from "./line.ts";
import { levelM, tankLimits, temperatureC } from "./tank.ts";

export const plantUnits = { "tank-01": 1, "conveyor-01": 2, "filler-01": 3 } as const;
export type PlantDevice = keyof typeof plantUnits;

/** One line of the controller's manual. */
export interface MapEntry {
  readonly device: PlantDevice;
  readonly property: string;
  readonly displayName: string;
  /** after scaling */
  readonly type: ValueType;
  /** UCUM */
  readonly unit?: string;
  readonly table: Table;
  /** zero-based */
  readonly offset: number;
  /** absent for coils and discrete inputs */
  readonly raw?: RawType;
  readonly wordOrder?: WordOrder;
  /** units per count, for integers that carry a fraction */
  readonly scale?: number;
  readonly access: Access;
  readonly minimum?: number;
  readonly maximum?: number;
  /** in engineering units */
  readonly read: (line: Line) => number | bigint | boolean;
  readonly write?: (line: Line, value: number | boolean) => Line;
}

function flag(options: { property: string; displayName: string; offset: number; bit: number }): MapEntry {
  const { property, displayName, offset, bit } = options;
  return {
    ...{ device: "tank-01", property, displayName, type: "bool", table: "discrete", offset, access: "read" },
    read: (line) => (flagWord(line) & bit) !== 0,
  };
}

/** Every register of the simulated line: the server answers from it, `plantDevices` describes devices by it. */
export const registerMap: readonly MapEntry[] = [
  {
    ...{ device: "tank-01", property: "level", displayName: "Tank level", type: "float32", unit: "m" },
    ...{ table: "input", offset: 0, raw: "float32", wordOrder: "ABCD", access: "read" },
    read: (line) => levelM(line.tank),
  },
  {
    ...{ device: "tank-01", property: "temperature", displayName: "Tank temperature", type: "float64", unit: "Cel" },
    ...{ table: "input", offset: 2, raw: "int16", scale: 0.1, access: "read" },
    read: (line) => temperatureC(line.tank),
  },
  {
    ...{ device: "tank-01", property: "volume", displayName: "Water in the tank", type: "float32", unit: "L" },
    ...{ table: "input", offset: 3, raw: "float32", wordOrder: "CDAB", access: "read" },
    read: (line) => line.tank.volumeM3 * 1000,
  },
  {
    ...{ device: "tank-01", property: "flags", displayName: "Flag word", type: "uint16" },
    ...{ table: "input", offset: 5, raw: "uint16", access: "read" },
    read: flagWord,
  },
  {
    ...{ device: "tank-01", property: "setpoint", displayName: "Temperature set-point", type: "float64", unit: "Cel" },
    ...{ table: "holding", offset: 0, raw: "int16", scale: 0.1, access: "readWrite" },
    ...{ minimum: tankLimits.minimumSetpointC, maximum: tankLimits.maximumSetpointC },
    read: (line) => line.tank.setpointC,
    write: (line, value) => ({ ...line, tank: { ...line.tank, setpointC: Number(value) } }),
  },
  flag({ property: "running", displayName: "Line is running", offset: 0, bit: lineFlags.running }),
  flag({ property: "alarm", displayName: "Any alarm", offset: 1, bit: lineFlags.alarm }),
  flag({ property: "levelLow", displayName: "Level low", offset: 2, bit: lineFlags.levelLow }),
  flag({ property: "levelHigh", displayName: "Level high", offset: 3, bit: lineFlags.levelHigh }),
  flag({ property: "heaterOn", displayName: "Heater on", offset: 4, bit: lineFlags.heaterOn }),
  {
    ...{ device: "conveyor-01", property: "speed", displayName: "Speed set-point", type: "float32", unit: "m/min" },
    ...{ table: "holding", offset: 0, raw: "float32", wordOrder: "ABCD", access: "readWrite", ...conveyorLimits },
    read: (line) => line.conveyor.setpoint,
    write: (line, value) => ({ ...line, conveyor: { ...line.conveyor, setpoint: Number(value) } }),
  },
  {
    ...{ device: "conveyor-01", property: "actualSpeed", displayName: "Actual speed", type: "float32", unit: "m/min" },
    ...{ table: "holding", offset: 2, raw: "float32", wordOrder: "CDAB", access: "read" },
    read: (line) => line.conveyor.speed,
  },
  {
    ...{ device: "conveyor-01", property: "enabled", displayName: "Drive enabled", type: "bool" },
    ...{ table: "coil", offset: 0, access: "readWrite" },
    read: (line) => line.conveyor.isEnabled,
    write: (line, value) => ({ ...line, conveyor: { ...line.conveyor, isEnabled: value === true } }),
  },
  {
    ...{
      device: "filler-01",
      property: "bottles",
      displayName: "Bottles this shift",
      type: "uint32",
      unit: "{bottles}",
    },
    ...{ table: "input", offset: 0, raw: "uint32", wordOrder: "ABCD", access: "read" },
    read: (line) => line.filler.bottles,
  },
  {
    ...{
      device: "filler-01",
      property: "rejects",
      displayName: "Rejects this shift",
      type: "uint32",
      unit: "{bottles}",
    },
    ...{ table: "input", offset: 2, raw: "uint32", wordOrder: "CDAB", access: "read" },
    read: (line) => line.filler.rejects,
  },
  {
    ...{
      device: "filler-01",
      property: "totalBottles",
      displayName: "Bottles ever",
      type: "uint64",
      unit: "{bottles}",
    },
    ...{ table: "input", offset: 4, raw: "uint64", wordOrder: "ABCD", access: "read" },
    read: (line) => line.filler.total,
  },
  {
    ...{ device: "filler-01", property: "rate", displayName: "Filling rate", type: "float64", unit: "/min" },
    ...{ table: "input", offset: 8, raw: "int16", scale: 0.1, access: "read" },
    read: (line) => bottlesPerSecond(line) * 60,
  },
];
