import { invalid } from "../errors.ts";
import { limits } from "../limits.ts";
import type { MapperManifest } from "../mapper-manifest.ts";
import type { ConnectionSpec, DeviceModelSpec, DeviceSpec } from "../resources/device.ts";
import { shown } from "../shown.ts";
import { asLabel, unusedName } from "./adapt-name.ts";
import { Fields } from "./fields.ts";
import type { Finding } from "./finding.ts";
import { takeDevice } from "./from-device.ts";
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
export type KubeEdgeResource = (
  | { readonly kind: "Connection"; readonly spec: ConnectionSpec }
  | { readonly kind: "DeviceModel"; readonly spec: DeviceModelSpec }
  | { readonly kind: "Device"; readonly spec: DeviceSpec }
) & {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** which of the documents that were handed in it comes from, from 0; a Connection from the first that needs it */
  readonly index: number;
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
 * lost or not understood. A document that cannot work here is left out and says all that stands in the way; the others
 * stand. Pure.
 *
 * @throws AppError input/invalid when the Lists among them hold more documents than one request may have
 */
export function fromKubeEdge(input: KubeEdgeInput): FromKubeEdge {
  const findings: Finding[] = [];
  const documents = input.documents.flatMap((one, index) => unfolded(one).map((document) => ({ document, index })));
  const most = limits.kubeedgeDocuments;
  if (documents.length > most) {
    throw invalid([{ field: "documents", value: `${documents.length} documents`, rule: `must be at most ${most}` }]);
  }
  const models = new Map<string, KubeEdgeModel>();
  const resources: KubeEdgeResource[] = [];
  const connections = new Map<string, SharedConnection>();
  const devices: KubeEdgeResource[] = [];
  const taken = new Set<string>();

  const each = (kind: "DeviceModel" | "Device", take: (whole: Fields, it: Taking) => void) => {
    for (const { document, index } of documents) {
      const head = headOf(document);
      if (head.kind !== kind) continue;
      const named = `${kind} "${head.name}"`;
      let isRefused = false;
      const whole = new Fields(document, "", (finding) => {
        isRefused ||= finding.level === "refused";
        findings.push({ index, document: named, ...finding });
      });
      for (const key of ["kind", "apiVersion"]) whole.take(key);
      if (!versions.includes(head.version)) {
        whole.refuse("apiVersion", { why: `must be one of ${versions.join(", ")}` });
      }
      if (head.name === "") whole.child("metadata").refuse("name", { why: "is missing", todo: "name it" });
      // What stands in another version's document, or in one that nobody can refer to, cannot be told.
      if (isRefused) continue;
      take(whole, { theirs: head.name, version: head.version, index });
      // What nobody asked for in a document that was not read to its end is not unknown.
      if (!isRefused) whole.end();
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

  each("DeviceModel", (whole, { theirs, index }) => {
    const { name, labels } = nameFor("DeviceModel", whole);
    const model = takeModel(name, whole.child("spec"), input.manifests);
    models.set(theirs, model);
    resources.push({ kind: "DeviceModel", name, labels, spec: model.spec, index });
  });
  each("Device", (whole, { version, index }) => {
    const { name, labels } = nameFor("Device", whole);
    const device = takeDevice(whole.child("spec"), whole.child("status"), {
      manifests: input.manifests,
      node: input.node,
      name,
      isBeta: version === "v1beta1",
      modelOf: (theirs) => models.get(theirs) ?? stored(theirs, input.models),
    });
    if (device === null) return;
    const { spec, connection } = device;
    const shared = connection === null ? null : shareConnection({ ...connection, index }, connections, whole);
    const own = shared === null ? spec : { ...spec, connection: shared };
    devices.push({ kind: "Device", name, labels, spec: own, index });
  });
  for (const { document, index } of documents) {
    const { kind, name } = headOf(document);
    if (kind === "DeviceModel" || kind === "Device") continue;
    const why =
      kind === "DeviceStatus" ? "what a device reports is measured anew" : "only Device and DeviceModel are read";
    const of = { index, document: `${String(kind)} "${name}"`, field: "kind", value: shown(kind, { most: 60 }) };
    findings.push({ ...of, level: "refused", why, todo: "" });
  }
  return { resources: [...resources, ...connections.values(), ...devices], findings };
}

interface Taking {
  /** the name as its author wrote it */
  readonly theirs: string;
  readonly version: string;
  readonly index: number;
}
type SharedConnection = KubeEdgeResource & { readonly kind: "Connection" };

function headOf(document: unknown): { readonly kind: unknown; readonly name: string; readonly version: string } {
  const { kind, apiVersion, metadata } = (document ?? {}) as {
    readonly kind?: unknown;
    readonly apiVersion?: unknown;
    readonly metadata?: { readonly name?: unknown } | null;
  };
  return { kind, name: String(metadata?.name ?? ""), version: String(apiVersion).split("/")[1] ?? "" };
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
  wanted: { readonly wanted: string; readonly spec: ConnectionSpec; readonly index: number },
  connections: Map<string, SharedConnection>,
  whole: Fields,
): string {
  const { node, protocol, settings, line } = wanted.spec;
  const key = JSON.stringify([node, protocol, settings]);
  const found = connections.get(key);
  if (found === undefined) {
    const names = new Set([...connections.values()].map((one) => one.name));
    const name = unusedName(wanted.wanted, (one) => names.has(one));
    connections.set(key, { kind: "Connection", name, labels: {}, spec: wanted.spec, index: wanted.index });
    return name;
  }
  if (JSON.stringify(found.spec.line) !== JSON.stringify(line)) {
    whole.tell("spec", { level: "lossy", why: `shares the line of Connection "${found.name}", which has other times` });
  }
  return found.name;
}
