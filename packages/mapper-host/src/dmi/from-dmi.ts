import {
  AppError,
  asProperty,
  type ConnectionUid,
  type DeviceModelSpec,
  type DeviceSpec,
  type DeviceUid,
  type EffectiveConnection,
  type EffectiveDevice,
  type EffectiveProperty,
  effectiveConnection,
  effectiveDevice,
  fromKubeEdge,
  invalid,
  kubeEdgeGroup,
  type MapperManifest,
  mergeDevice,
} from "@penstock/model";
import type { DmiCustomized, DmiDevice, DmiModel } from "@penstock/wire";
import { fromAny } from "@penstock/wire";

/** One property, under the name that the manager has for it. */
export interface DmiProperty {
  readonly name: string;
  readonly property: EffectiveProperty;
  readonly isReported: boolean;
  /** milliseconds */
  readonly collectMs: number;
  readonly reportMs: number;
  /** wanted value as text; "" = none */
  readonly desired: string;
}
export interface DmiTarget {
  readonly key: string;
  readonly device: EffectiveDevice;
  readonly connection: EffectiveConnection;
  readonly properties: readonly DmiProperty[];
  /** how often its state is told; null = never */
  readonly stateMs: number | null;
}

export function dmiDeviceKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

const defaultMs = 1000;
/** The documents of KubeEdge have nanoseconds for what is milliseconds: such a cycle would be hours long. */
const nanoseconds = 10_000_000;

/**
 * A device that a DMI manager hands to a mapper of ours, by the same rules by which its documents are imported: KubeEdge's
 * words for a protocol and the mapper's own are both understood.
 *
 * @throws AppError input/invalid with what stands in the way
 */
export function fromDmi(device: DmiDevice, model: DmiModel, manifest: MapperManifest): DmiTarget {
  const metadata = { name: device.name, namespace: device.namespace };
  const apiVersion = `${kubeEdgeGroup}/v1beta1`;
  const { resources, findings } = fromKubeEdge({
    documents: [
      {
        ...{ apiVersion, kind: "DeviceModel", metadata: { ...metadata, name: model.name } },
        spec: { properties: (model.spec?.properties ?? []).map(modelProperty) },
      },
      {
        ...{ apiVersion, kind: "Device", metadata },
        spec: {
          deviceModelRef: { name: model.name },
          protocol: { protocolName: manifest.name, configData: plain(device.spec?.protocol?.configData) },
          properties: (device.spec?.properties ?? []).map(({ name, visitors }) => ({
            ...{ name, visitors: { protocolName: manifest.name, configData: plain(visitors?.configData) } },
          })),
        },
      },
    ],
    ...{ tenant: device.namespace, manifests: [manifest], node: "edge" },
  });
  const found = { device: specOf(resources, "Device"), model: specOf(resources, "DeviceModel") };
  if (found.device === undefined) {
    const refused = findings.filter(({ level }) => level === "refused");
    throw invalid(refused.map(({ field, value, why }) => ({ field, value, rule: why })));
  }
  const spec = found.device as DeviceSpec;
  const shared = resources.find(({ kind }) => kind === "Connection")?.spec as EffectiveConnection | undefined;
  const inline = typeof spec.connection === "string" ? null : spec.connection;
  const settings = (shared ?? inline ?? {}) as Parameters<typeof effectiveConnection>[0]["spec"];
  const uid = JSON.stringify([settings.settings ?? {}, settings.line ?? {}]) as ConnectionUid; // equal settings, one line
  const key = dmiDeviceKey(device.namespace, device.name);
  const effective = effectiveDevice({
    ...{ uid: key as DeviceUid, name: device.name, generation: 1, connection: uid },
    merged: mergeDevice((found.model as DeviceModelSpec | undefined) ?? null, spec),
  });
  return {
    ...{ key, device: effective },
    connection: effectiveConnection({ uid, name: uid, spec: { ...settings, protocol: manifest.name } }),
    properties: (device.spec?.properties ?? []).flatMap((one): DmiProperty[] => {
      const property = effective.properties.find(({ name }) => name === asProperty(one.name));
      if (property === undefined) return [];
      const collectMs = milliseconds(one.collectCycle);
      const reportMs = Math.max(collectMs, milliseconds(one.reportCycle));
      const { name, reportToCloud: isReported } = one;
      return [{ ...{ name, property, isReported, collectMs, reportMs }, desired: one.desired?.value ?? "" }];
    }),
    stateMs:
      device.status?.reportToCloud === true ? Math.max(defaultMs, milliseconds(device.status.reportCycle)) : null,
  };
}

function modelProperty({
  name,
  description,
  type,
  accessMode,
  minimum,
  maximum,
  unit,
}: NonNullable<DmiModel["spec"]>["properties"][number]) {
  return {
    ...{ name, type, accessMode },
    ...(description !== "" && { description }),
    ...(minimum !== "" && { minimum }),
    ...(maximum !== "" && { maximum }),
    ...(unit !== "" && { unit }),
  };
}

function specOf(resources: ReturnType<typeof fromKubeEdge>["resources"], kind: string): unknown {
  return resources.find((one) => one.kind === kind)?.spec;
}

function plain(customized: DmiCustomized | null | undefined): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [key, any] of customized?.data ?? []) {
    const value = fromAny(any);
    if (value === undefined)
      throw new AppError("input/invalid", `Cannot take setting "${key}": ${any.type_url} is not known`);
    found[key] = value;
  }
  return found;
}

function milliseconds(cycle: number): number {
  if (cycle <= 0) return defaultMs;
  return cycle >= nanoseconds ? Math.max(1, Math.round(cycle / 1e6)) : cycle;
}
