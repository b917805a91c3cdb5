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
  type MapperManifest,
} from "@penstock/model";
import { type KindName, kindOfResource } from "./kind-names.ts";

export interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly tenant?: string };
  readonly [key: string]: unknown;
}
/** What documents refer to and the server has; null: there is none of that name. */
export type LookUp = (kind: "nodes" | "connections" | "deviceModels", name: string) => Promise<unknown>;

/**
 * The same checks that the server makes, before anything is sent: all that is wrong with all documents at once. Devices are
 * held against the others of their line in the same files; against those that the server has, the server holds them.
 *
 * @returns the documents that break a rule, each with what it breaks
 */
export async function checkDocuments(options: {
  readonly documents: readonly Document[];
  readonly manifests: readonly MapperManifest[];
  readonly lookUp: LookUp;
}): Promise<{ readonly document: Document; readonly fields: readonly FieldError[] }[]> {
  const { documents, manifests } = options;
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

  async function checkDevice(name: string, spec: DeviceSpec): Promise<FieldError[]> {
    if ((await lookUp("nodes", spec.node)) === null) {
      return [{ field: "spec.node", value: `"${spec.node}"`, rule: "there is no Node of that name in this tenant" }];
    }
    const isShared = typeof spec.connection === "string";
    const line = (isShared ? lines.get(spec.connection as string) : undefined) ?? new LinePlaces();
    if (isShared) lines.set(spec.connection as string, line);
    // What stands under these names is a spec of the kind: it was checked here or by the server.
    const connection = isShared ? await lookUp("connections", spec.connection as string) : null;
    const model = spec.model === undefined ? null : await lookUp("deviceModels", spec.model);
    const around = { connection: connection as ConnectionSpec | null, model: model as DeviceModelSpec | null };
    return checkDeviceSpec(name, spec, { manifests, ...around, line });
  }
  async function check(document: Document, kind: KindName): Promise<FieldError[]> {
    const written = boundsAsText(document as unknown as ExactJson) as unknown as Document;
    const fields = checkShape(contract[kind].routes.put.body, written);
    if (fields.length > 0) return fields;
    if (kind === "connections") return checkConnectionSpec(written.spec as ConnectionSpec, manifests);
    if (kind === "deviceModels") return checkModelSpec(written.spec as DeviceModelSpec, manifests);
    return kind === "devices" ? checkDevice(written.metadata.name, written.spec as DeviceSpec) : [];
  }
  const broken: { document: Document; fields: FieldError[] }[] = [];
  for (const document of documents) {
    const fields = await check(document, kindOfResource(document.kind));
    if (fields.length > 0) broken.push({ document, fields });
  }
  return broken;
}
