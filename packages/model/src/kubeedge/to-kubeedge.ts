import type { ConnectionSpec, DeviceModelSpec, DeviceSpec, MethodSpec, PropertySpec } from "../resources/device.ts";
import { argumentNamed, mergeDevice } from "../resources/effective-device.ts";
import { shown } from "../shown.ts";
import { parseDuration } from "../time.ts";
import type { ValueType } from "../value.ts";
import type { Finding } from "./finding.ts";
import { kubeEdgeGroup } from "./from-kubeedge.ts";
import { kubeEdgeType } from "./kubeedge-type.ts";
import { toModbusPlace, toModbusVisitor } from "./to-modbus.ts";

export interface KubeEdgeOutput {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: DeviceSpec;
  readonly model: { readonly name: string; readonly spec: DeviceModelSpec } | null;
  /** the Connection that the device names, or the one inline */
  readonly connection: Pick<ConnectionSpec, "protocol" | "settings" | "line">;
  readonly tenant: string;
}
export interface ToKubeEdge {
  /** DeviceModel, then Device, of v1beta1 */
  readonly documents: readonly Readonly<Record<string, unknown>>[];
  readonly findings: readonly Finding[];
}

type Lose = (field: string, value: unknown, why: string) => void;

/**
 * A device as KubeEdge's v1beta1 has it, and every field that it has no place for. The namespace is the tenant's name. Model
 * and device are merged into a model of the device's own where the device overrides more than settings. Pure.
 */
export function toKubeEdge(input: KubeEdgeOutput): ToKubeEdge {
  const { name, spec, connection, tenant } = input;
  const findings: Finding[] = [];
  const lose: Lose = (field, value, why) => {
    if (value === undefined) return;
    findings.push({
      index: null,
      document: `Device "${name}"`,
      field,
      value: shown(value, { field, most: 60 }),
      level: "lossy",
      why,
      todo: "",
    });
  };
  const merged = mergeDevice(input.model?.spec ?? null, spec);
  const isShared = input.model !== null && !Object.values(spec.properties ?? {}).some(describesItself);
  const modelName = isShared ? input.model.name : `${name.slice(0, 57)}-model`;
  for (const [property, { calculated }] of merged.properties) {
    if (calculated !== true) continue;
    lose(
      `spec.properties.${property}`,
      { calculated },
      "no mapper has it: a rule gives its readings, so it is left out",
    );
  }
  const properties = [...merged.properties].filter(([, { calculated }]) => calculated !== true);
  const sent = properties.map(([property, one]) => ({
    property,
    one: { ...one, type: one.type ?? "string" } as PropertySpec,
  }));
  lose("spec.description", spec.description, "a Device has no description");
  lose("spec.presence", spec.presence, "presence is what a mapper says");
  lose("spec.connection.line", connection.line, "v1beta1 has no times for a line");
  const address: Readonly<Record<string, unknown>> = merged.address;
  const place =
    connection.protocol === "modbus"
      ? toModbusPlace(connection.settings ?? {}, address, lose)
      : { ...connection.settings, ...address };
  const protocolName = connection.protocol === "virtual" ? "virtualProtocol" : connection.protocol;
  const metadata = (of: string) => ({ name: of, namespace: tenant });
  return {
    findings,
    documents: [
      {
        apiVersion: `${kubeEdgeGroup}/v1beta1`,
        kind: "DeviceModel",
        metadata: metadata(modelName),
        spec: {
          protocol: protocolName,
          properties: sent.map(({ property, one }) => modelProperty(property, one, lose)),
        },
      },
      {
        apiVersion: `${kubeEdgeGroup}/v1beta1`,
        kind: "Device",
        metadata: { ...metadata(name), ...(Object.keys(input.labels).length > 0 && { labels: { ...input.labels } }) },
        spec: {
          deviceModelRef: { name: modelName },
          nodeName: spec.node,
          protocol: { protocolName, configData: { ...place, ...merged.custom } },
          properties: sent.map(({ property, one }) => deviceProperty(property, one, { protocolName, lose })),
          ...methodsOf(merged.methods, lose),
        },
      },
    ],
  };
}

/** Fields that KubeEdge has in the model only. */
function describesItself(property: Partial<PropertySpec>): boolean {
  return ["type", "unit", "description", "access", "minimum", "maximum"].some((field) =>
    Object.hasOwn(property, field),
  );
}

/** Those that come back as they were. */
const exact: readonly ValueType[] = ["bool", "string", "bytes", "float32", "float64", "int64"];

function modelProperty(property: string, one: PropertySpec, lose: Lose) {
  const at = `spec.properties.${property}`;
  if (!exact.includes(one.type))
    lose(
      `${at}.type`,
      one.type,
      `${kubeEdgeType[one.type]} has no size: it comes back as ${one.type === "json" ? "string" : "int64"}`,
    );
  if (one.access === "write") lose(`${at}.access`, one.access, "there is no WriteOnly: ReadWrite");
  for (const field of ["displayName", "localWrites", "mayOverlap"] as const)
    lose(`${at}.${field}`, one[field], "v1beta1 has no such field");
  const unit = one.unit === undefined ? undefined : (/^\{([^{}]*)\}$/.exec(one.unit)?.[1] ?? one.unit);
  return {
    name: property,
    ...(one.description !== undefined && { description: one.description }),
    type: kubeEdgeType[one.type],
    accessMode: one.access === undefined || one.access === "read" ? "ReadOnly" : "ReadWrite",
    ...(one.minimum !== undefined && { minimum: String(one.minimum) }),
    ...(one.maximum !== undefined && { maximum: String(one.maximum) }),
    ...(unit !== undefined && { unit }),
  };
}

function deviceProperty(
  property: string,
  one: PropertySpec,
  around: { readonly protocolName: string; readonly lose: Lose },
) {
  const { protocolName, lose } = around;
  const at = `spec.properties.${property}`;
  const { collect, report, publish, visitor = {} } = one;
  lose(`${at}.collect.at`, collect?.at, "there are no times of day");
  lose(`${at}.collect.subscribe`, collect?.subscribe, "a mapper is asked in cycles, it does not tell by itself");
  lose(`${at}.report.at`, report?.at, "there are no times of day");
  lose(`${at}.report.onChange`, report?.onChange, "there are no reports on change");
  lose(`${at}.report.atLeast`, report?.atLeast, "there are no reports on change");
  const config = protocolName === "modbus" ? toModbusVisitor(visitor, at, lose) : visitor;
  return {
    name: property,
    visitors: { protocolName, configData: { ...config, ...one.custom } },
    ...(collect?.every !== undefined && { collectCycle: parseDuration(collect.every) }),
    ...(report?.every !== undefined && { reportCycle: parseDuration(report.every) }),
    reportToCloud: report?.toCloud ?? true,
    ...(publish !== undefined && {
      pushMethod: {
        mqtt: {
          address: "tcp://127.0.0.1:1883",
          topic: publish.topic,
          ...(publish.qos !== undefined && { qos: publish.qos }),
        },
      },
    }),
  };
}

/** Only what sets properties to its own arguments is a method of KubeEdge. */
function methodsOf(methods: ReadonlyMap<string, MethodSpec>, lose: Lose) {
  const kept = [...methods].flatMap(([name, method]) => {
    const at = `spec.methods.${name}`;
    const sets = Object.entries(method.sets ?? {});
    if (sets.length === 0 || sets.some(([, value]) => argumentNamed(value) === null)) {
      lose(at, method, "a method of v1beta1 writes named properties, nothing else");
      return [];
    }
    lose(`${at}.timeout`, method.timeout, "methods have no time-out");
    lose(`${at}.displayName`, method.displayName, "v1beta1 has no such field");
    const { description } = method;
    return [
      { name, ...(description !== undefined && { description }), propertyNames: sets.map(([property]) => property) },
    ];
  });
  return kept.length === 0 ? {} : { methods: kept };
}
