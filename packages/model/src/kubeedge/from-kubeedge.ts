import { limits } from "../limits.ts";
import type { MapperManifest } from "../mapper-manifest.ts";
import type { ConnectionSpec, DeviceModelSpec, DeviceSpec } from "../resources/device.ts";
import { shown } from "../shown.ts";
import { asLabel, unusedName } from "./adapt-name.ts";
import { Fields } from "./fields.ts";
import type { Finding } from "./finding.ts";
import { Refusal, takeDevice } from "./from-device.ts";
import { takeMetadata } from "./from-metadata.ts";
import { type KubeEdgeModel, takeModel } from "./from-model.ts";

export const kubeEdgeGroup = "devices.kubeedge.io";
const versions = ["v1alpha1", "v1alpha2", "v1beta1"];

export interface KubeEdgeInput {
  /** documents as YAML or JSON says them */
  readonly documents: readonly unknown[];
  readonly tenant: string;
  readonly manifests: readonly MapperManifest[];
  /** the gateway for all devices, whatever the documents say */
  readonly node?: string | undefined;
  /** models that are there already, by our name */
  readonly models?: ReadonlyMap<string, DeviceModelSpec>;
}
export type KubeEdgeResource =
  | {
      readonly kind: "Connection";
      readonly name: string;
      readonly spec: ConnectionSpec;
      readonly labels: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "DeviceModel";
      readonly name: string;
      readonly spec: DeviceModelSpec;
      readonly labels: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "Device";
      readonly name: string;
      readonly spec: DeviceSpec;
      readonly labels: Readonly<Record<string, string>>;
    };
export interface FromKubeEdge {
  /** in the order in which they refer to each other */
  readonly resources: readonly KubeEdgeResource[];
  readonly findings: readonly Finding[];
}

/** Is it a document of KubeEdge's device API? */
export function isKubeEdge(document: unknown): boolean {
  const { apiVersion } = (document ?? {}) as { readonly apiVersion?: unknown };
  return typeof apiVersion === "string" && apiVersion.startsWith(`${kubeEdgeGroup}/`);
}

/** The models that devices name and that are not among the documents, by our name. */
export function missingModels(documents: readonly unknown[]): string[] {
  const names = documents.flatMap((document) => {
    const { spec } = (document ?? {}) as { readonly spec?: { readonly deviceModelRef?: { readonly name?: unknown } } };
    const name = spec?.deviceModelRef?.name;
    return typeof name === "string" ? [asLabel(name)] : [];
  });
  return [...new Set(names)];
}

/**
 * Device and DeviceModel documents of KubeEdge (v1alpha1, v1alpha2, v1beta1) as Penstock's, and every field that was changed,
 * lost or not understood. A document that cannot work here is left out and says why; the others stand. Pure.
 */
export function fromKubeEdge(input: KubeEdgeInput): FromKubeEdge {
  const findings: Finding[] = [];
  const documents = input.documents.flatMap(unfolded).slice(0, limits.kubeedgeDocuments);
  const models = new Map<string, KubeEdgeModel>();
  const resources: KubeEdgeResource[] = [];
  const connections = new Map<string, KubeEdgeResource & { readonly kind: "Connection" }>();
  const devices: KubeEdgeResource[] = [];
  const taken = new Set<string>();

  const each = (
    kind: string,
    take: (whole: Fields, it: { readonly theirs: string; readonly version: string }) => void,
  ) => {
    for (const document of documents) {
      const {
        kind: is,
        apiVersion,
        metadata,
      } = (document ?? {}) as { kind?: unknown; apiVersion?: unknown; metadata?: { name?: unknown } };
      if (is !== kind) continue;
      const theirs = String(metadata?.name ?? "");
      const named = `${kind} "${theirs}"`;
      const own: Finding[] = [];
      const whole = new Fields(document, "", (finding) => own.push({ document: named, ...finding }));
      const version = String(apiVersion).split("/")[1] ?? "";
      for (const key of ["kind", "apiVersion"]) whole.take(key);
      try {
        if (!versions.includes(version)) throw new Refusal("apiVersion", `must be one of ${versions.join(", ")}`, "");
        if (theirs === "") throw new Refusal("metadata.name", "is missing", "name it");
        take(whole, { theirs, version });
        whole.end();
        findings.push(...own);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const value =
          error.field === "spec.protocol"
            ? "(settings)"
            : shown(valueAt(document, error.field), { field: error.field, most: 60 });
        findings.push({
          document: named,
          field: error.field,
          value,
          level: "refused",
          why: error.message,
          todo: error.todo,
        });
      }
    }
  };
  const nameFor = (kind: string, whole: Fields) => {
    const { name, labels } = takeMetadata(whole.child("metadata"), input.tenant);
    const free = unusedName(name, (one) => taken.has(`${kind} ${one}`));
    if (free !== name)
      whole.tell("metadata", {
        level: "note",
        why: `the name is taken by another of these documents: taken as ${free}`,
      });
    taken.add(`${kind} ${free}`);
    return { name: free, labels };
  };

  each("DeviceModel", (whole, { theirs }) => {
    const { name, labels } = nameFor("DeviceModel", whole);
    const model = takeModel(name, whole.child("spec"), input.manifests);
    models.set(theirs, model);
    resources.push({ kind: "DeviceModel", name, labels, spec: model.spec });
  });
  each("Device", (whole, { version }) => {
    const { name, labels } = nameFor("Device", whole);
    const { spec, connection } = takeDevice(whole.child("spec"), whole.child("status"), {
      manifests: input.manifests,
      node: input.node,
      name,
      isBeta: version === "v1beta1",
      modelOf: (theirs) => models.get(theirs) ?? stored(theirs, input.models),
    });
    const shared = connection === null ? null : shareConnection(connection, connections, whole);
    devices.push({ kind: "Device", name, labels, spec: shared === null ? spec : { ...spec, connection: shared } });
  });
  for (const document of documents) {
    const { kind, metadata } = (document ?? {}) as { kind?: unknown; metadata?: { name?: unknown } };
    if (kind === "DeviceModel" || kind === "Device") continue;
    const why =
      kind === "DeviceStatus" ? "what a device reports is measured anew" : "only Device and DeviceModel are read";
    findings.push({
      document: `${String(kind)} "${String(metadata?.name ?? "")}"`,
      field: "kind",
      value: shown(kind, { most: 60 }),
      level: "refused",
      why,
      todo: "",
    });
  }
  return { resources: [...resources, ...connections.values(), ...devices], findings };
}

function unfolded(document: unknown): unknown[] {
  const { kind, items } = (document ?? {}) as { readonly kind?: unknown; readonly items?: unknown };
  return typeof kind === "string" && kind.endsWith("List") && Array.isArray(items) ? items : [document];
}

/** A model of an earlier import: its names are ours. */
function stored(theirs: string, models: KubeEdgeInput["models"]): KubeEdgeModel | undefined {
  const name = asLabel(theirs);
  const spec = models?.get(name);
  if (spec === undefined) return undefined;
  const properties = new Map(
    Object.entries(spec.properties).map(([property, one]) => [property, { name: property, spec: one }]),
  );
  return { name, spec, properties, visitors: new Map(), protocolConfig: {} };
}

/** One Connection for all devices of one bus; the first says how the line is used. */
function shareConnection(
  wanted: { readonly wanted: string; readonly spec: ConnectionSpec },
  connections: Map<string, KubeEdgeResource & { readonly kind: "Connection" }>,
  whole: Fields,
): string {
  const { node, protocol, settings, line } = wanted.spec;
  const key = JSON.stringify([node, protocol, settings]);
  const found = connections.get(key);
  if (found === undefined) {
    const names = new Set([...connections.values()].map((one) => one.name));
    const name = unusedName(wanted.wanted, (one) => names.has(one));
    connections.set(key, { kind: "Connection", name, labels: {}, spec: wanted.spec });
    return name;
  }
  if (JSON.stringify(found.spec.line) !== JSON.stringify(line)) {
    whole.tell("spec", { level: "lossy", why: `shares the line of Connection "${found.name}", which has other times` });
  }
  return found.name;
}

function valueAt(document: unknown, field: string): unknown {
  let here = document;
  for (const key of field.split(".")) here = (here as Readonly<Record<string, unknown>> | null | undefined)?.[key];
  return here;
}
