import { checkShape, contract } from "@penstock/api";
import {
  boundsAsText,
  type ConnectionSpec,
  checkConnectionSpec,
  checkDeviceSpec,
  checkModelSpec,
  type DeviceModelSpec,
  type DeviceSpec,
  type ExactJson,
  type FieldError,
  LinePlaces,
  mergeDevice,
  placesOf,
} from "@penstock/model";
import { type KindName, kindOfResource } from "./kind-names.ts";
import type { ManifestsOf } from "./manifests-of.ts";

export interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly tenant?: string };
  readonly [key: string]: unknown;
}
/** 'Device "press"' */
export function documentText({ kind, metadata }: Document): string {
  return `${kind} "${metadata.name}"`;
}
/** What documents refer to and the server has; null: there is none of that name. */
export type LookUp = (kind: "nodes" | "connections" | "deviceModels", name: string) => Promise<unknown>;

/**
 * The same checks that the server makes, before anything is sent: all that is wrong with all documents at once. Devices are
 * held against the others of their line, those in the same files and those that the server has.
 *
 * @returns the documents that break a rule, each with what it breaks
 */
export async function checkDocuments(options: {
  readonly documents: readonly Document[];
  readonly manifests: ManifestsOf;
  readonly lookUp: LookUp;
  /** all devices that the server has; asked once, when a line of theirs is touched */
  readonly devices: () => Promise<readonly { readonly name: string; readonly spec: unknown }[]>;
}): Promise<{ readonly document: Document; readonly fields: readonly FieldError[] }[]> {
  const { documents } = options;
  const own = new Map(
    documents.map((document) => [`${kindOfResource(document.kind)} ${document.metadata.name}`, document]),
  );
  const known = new Map<string, unknown>();
  const lookUp = async (kind: Parameters<LookUp>[0], name: string): Promise<unknown> => {
    const key = `${kind} ${name}`;
    if (!known.has(key)) known.set(key, own.get(key)?.spec ?? (await options.lookUp(kind, name)));
    return known.get(key);
  };
  const lines = new Map<string, LinePlaces>();
  let others: Awaited<ReturnType<typeof options.devices>> | undefined;

  async function checkDevice(name: string, spec: DeviceSpec): Promise<FieldError[]> {
    if ((await lookUp("nodes", spec.node)) === null) {
      return [{ field: "spec.node", value: `"${spec.node}"`, rule: "there is no Node of that name in this tenant" }];
    }
    const isShared = typeof spec.connection === "string";
    const connection = isShared ? await connectionOf(spec.connection as string) : null;
    const model = await modelOf(spec);
    const line = isShared && connection !== null ? await lineOf(spec.connection as string, connection) : undefined;
    const manifests = await options.manifests(spec.node);
    return checkDeviceSpec(name, spec, { manifests, connection, model, ...(line !== undefined && { line }) });
  }
  // What stands under these names is a spec of the kind: it was checked here or by the server.
  const connectionOf = (name: string) => lookUp("connections", name) as Promise<ConnectionSpec | null>;
  const modelOf = async ({ model }: DeviceSpec) =>
    model === undefined ? null : ((await lookUp("deviceModels", model)) as DeviceModelSpec | null);

  /** What lies on a line already: the devices of the server that no document replaces. */
  async function lineOf(name: string, connection: ConnectionSpec): Promise<LinePlaces> {
    const line = lines.get(name) ?? new LinePlaces();
    if (lines.has(name)) return line;
    lines.set(name, line);
    const manifests = await options.manifests(connection.node);
    const manifest = manifests.find((one) => one.name === connection.protocol);
    if (manifest === undefined || manifest.extent === null) return line;
    others ??= await options.devices();
    for (const other of others) {
      const spec = other.spec as DeviceSpec;
      if (spec.connection !== name || own.has(`devices ${other.name}`)) continue;
      line.add(placesOf(other.name, mergeDevice(await modelOf(spec), spec), manifest, connection.settings));
    }
    return line;
  }
  async function check(document: Document, kind: KindName): Promise<FieldError[]> {
    const written = boundsAsText(document as unknown as ExactJson) as unknown as Document;
    const fields = checkShape(contract[kind].routes.put.body, written);
    if (fields.length > 0) return fields;
    if (kind === "connections") {
      const spec = written.spec as ConnectionSpec;
      return checkConnectionSpec(spec, await options.manifests(spec.node));
    }
    if (kind === "deviceModels") return checkModelSpec(written.spec as DeviceModelSpec, await options.manifests(null));
    return kind === "devices" ? checkDevice(written.metadata.name, written.spec as DeviceSpec) : [];
  }
  const broken: { document: Document; fields: FieldError[] }[] = [];
  for (const document of documents) {
    const fields = await check(document, kindOfResource(document.kind));
    if (fields.length > 0) broken.push({ document, fields });
  }
  return broken;
}
