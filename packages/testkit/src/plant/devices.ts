import { apiVersion, type ConnectionSpec, type DeviceSpec, formatDuration, type PropertySpec } from "@penstock/model";
import { counterWords, firstLoadUnit, loadShapes } from "./load-unit.ts";
import { type MapEntry, type PlantDevice, plantUnits, registerMap } from "./register-map.ts";

/** Documents as a person would write them for `penstock apply -f`; the server fills the rest. */
export interface Document<Kind extends string, Spec> {
  readonly apiVersion: typeof apiVersion;
  readonly kind: Kind;
  readonly metadata: {
    readonly name: string;
    readonly displayName?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: Spec;
}
export type PlantDocument = Document<"Connection", ConnectionSpec> | Document<"Device", DeviceSpec>;

export interface PlantPlace {
  readonly host: string;
  readonly port: number;
  /** name of the Node that reads it */
  readonly node: string;
}

function connection(name: string, place: PlantPlace): PlantDocument {
  const settings = { host: place.host, port: place.port };
  return {
    apiVersion,
    kind: "Connection",
    metadata: { name },
    spec: { node: place.node, protocol: "modbus", settings, line: { timeout: "1s" } },
  };
}

const displayNames: Readonly<Record<PlantDevice, string>> = {
  "tank-01": "Water tank",
  "conveyor-01": "Conveyor",
  "filler-01": "Bottle filler",
};

/** The bottling line's Connection `plant` and its three Devices, each property read once a second. */
export function plantDevices(place: PlantPlace): PlantDocument[] {
  const devices = (Object.keys(plantUnits) as PlantDevice[]).map((name): PlantDocument => {
    const own = registerMap.filter((entry) => entry.device === name);
    const properties = Object.fromEntries(own.map((entry) => [entry.property, propertyOf(entry)]));
    return {
      ...{ apiVersion, kind: "Device" },
      metadata: { name, displayName: displayNames[name], labels: { line: "filling" } },
      spec: { node: place.node, connection: "plant", address: { unitId: plantUnits[name] }, properties },
    };
  });
  return [connection("plant", place), ...devices];
}

function propertyOf(entry: MapEntry): PropertySpec {
  const { type, unit, displayName, access, minimum, maximum, table, offset, raw, wordOrder, scale } = entry;
  return {
    type,
    displayName,
    access,
    ...(unit === undefined ? {} : { unit }),
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
    visitor: {
      ...{ table, offset },
      ...(raw === undefined ? {} : { raw }),
      ...(wordOrder === undefined ? {} : { wordOrder }),
      ...(scale === undefined ? {} : { scale }),
    },
    collect: { every: "1s" },
  };
}

/** Devices `load-01` … of a plant started with `--values`: in all `values` properties, each read every `everyMs`. */
export function loadDevices(
  options: PlantPlace & { readonly values: number; readonly everyMs: number },
): PlantDocument[] {
  const collect = { every: formatDuration(options.everyMs) };
  const devices = loadShapes(options.values).map((shape, i): PlantDocument => {
    const properties: Record<string, PropertySpec> = {};
    const add = (name: string, type: "uint64" | "float32" | "uint16", offset: number) => {
      properties[name] = { type, access: "read", visitor: { table: "holding", offset, raw: type }, collect };
    };
    add("answers", "uint64", 0);
    add("samples", "uint64", counterWords / 2);
    for (let n = 0; n < shape.floats; n++) add(`f${n}`, "float32", counterWords + n * 2);
    for (let n = 0; n < shape.integers; n++) add(`u${n}`, "uint16", counterWords + shape.floats * 2 + n);
    const name = `load-${String(i + 1).padStart(2, "0")}`;
    const spec = { node: options.node, connection: "load", address: { unitId: firstLoadUnit + i }, properties };
    return { apiVersion, kind: "Device", metadata: { name }, spec };
  });
  return [connection("load", options), ...devices];
}
