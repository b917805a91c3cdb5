import {
  asLabel,
  type EffectiveConnection,
  type EffectiveDevice,
  type EffectiveProperty,
  type ExactJson,
  kubeEdgeType,
} from "@penstock/model";
import { type DmiDevice, type DmiMessages, type DmiModel, dmiAccess, toAny } from "@penstock/wire";

type Property = DmiModel["spec"] extends infer S ? NonNullable<S> : never;

/** A device as a DMI mapper is told of it. */
export interface DmiPair {
  readonly device: DmiDevice;
  readonly model: DmiModel;
}
/** What is to be told: the device as the gateway has it, under the mapper's own word for its protocol. */
export interface DmiSource {
  readonly device: EffectiveDevice;
  readonly connection: EffectiveConnection;
  readonly namespace: string;
  readonly protocol: string;
}

/** By what one mapper knows its devices. */
export function dmiKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** The name under which connections speak of a mapper's protocol: "OPC UA" is "opc-ua". */
export function protocolLabel(protocol: string): string {
  return asLabel(protocol);
}

/** Mappers that are told nothing poll every second. */
const defaultCycleMs = 1000;
/** A value for certain times of the day is looked at this often, and the report policy takes what it wants. */
const timesOfDayCycleMs = 60_000;
const stateCycleMs = 5000;

/**
 * Device and model of its own as messages, every sub-message filled in because mappers reach into them. Cycles are
 * milliseconds; the mapper reports as often as it collects, and what of it goes to the cloud the gateway decides.
 *
 * A property is told as writable only once a value is wanted of it, and a write-only one is told of only then: mappers of
 * KubeEdge's framework write the wanted value of every writable property when they get a device, also one that is empty.
 *
 * @param desired  wanted values by property, as text
 */
export function toDmi(source: DmiSource, desired: ReadonlyMap<string, string> = new Map()): DmiPair {
  const { device, connection, namespace, protocol: protocolName } = source;
  const told = device.properties.filter(({ name, access }) => access !== "write" || desired.has(name));
  const { mapper: _, ...settings } = connection.settings;
  const config = (data: Readonly<Record<string, ExactJson>>) => ({ protocolName, configData: { data: anys(data) } });
  const { name } = device;
  return {
    model: { name, namespace, spec: { properties: told.map((property) => modelProperty(property, desired)) } },
    device: {
      ...{ name, namespace },
      spec: {
        deviceModelReference: name,
        protocol: config({ ...settings, ...device.address, ...device.custom }),
        properties: told.map((property) => ({
          name: property.name,
          desired: {
            value: desired.get(property.name) ?? "",
            metadata: new Map([["type", kubeEdgeType[property.type]]]),
          },
          visitors: config({ ...property.visitor, ...property.custom }),
          ...{ reportCycle: cycleMs(property), collectCycle: cycleMs(property) },
          reportToCloud: true,
          pushMethod: {},
        })),
        methods: device.methods
          .filter(({ sets }) => sets.length > 0)
          .map(({ name, sets }) => ({ name, description: "", propertyNames: sets.map(({ property }) => property) })),
      },
      status: { twins: [], reportToCloud: true, reportCycle: stateCycleMs },
    },
  };
}

/** Milliseconds between two looks at a property. */
export function cycleMs({ collect }: EffectiveProperty): number {
  if (collect === null || "subscribe" in collect) return defaultCycleMs;
  return "everyMs" in collect ? collect.everyMs : timesOfDayCycleMs;
}

function modelProperty(
  property: EffectiveProperty,
  desired: ReadonlyMap<string, string>,
): Property["properties"][number] {
  const { name, type, unit, minimum, maximum } = property;
  return {
    ...{ name, description: "", type: kubeEdgeType[type] },
    accessMode: property.access !== "read" && desired.has(name) ? dmiAccess.readWrite : dmiAccess.read,
    ...{ minimum: minimum ?? "", maximum: maximum ?? "", unit: unit ?? "" },
  };
}

function anys(data: Readonly<Record<string, ExactJson>>) {
  const given = Object.entries(data).flatMap(([key, value]) => (value === null ? [] : [[key, toAny(value)] as const]));
  return new Map(given);
}

/** What an answer to a registration may hold: gRPC libraries refuse more than 4 MiB unless told otherwise. */
export const mostAnswerBytes = 3 * 1024 * 1024;
export type RegisterAnswer = DmiMessages["MapperRegisterResponse"];
