import {
  AppError,
  type ConnectionSpec,
  type DeviceModelSpec,
  type DeviceSpec,
  type FieldError,
  type Finding,
  fromKubeEdge,
  invalid,
  type Kind,
  type KubeEdgeResource,
  limits,
  missingModels,
  toKubeEdge,
} from "@penstock/model";
import type { Bulk } from "./bulk.ts";
import type { Caller, CheckingContext } from "./context.ts";
import { findDevice } from "./device-lookup.ts";
import { mustFind } from "./device-references.ts";
import type { LineChange } from "./line-loads.ts";
import { findRow, specOf } from "./resource-rows.ts";
import { tenantOf } from "./tenant-check.ts";

export interface KubeEdgeImported {
  /** what undo takes; null for a dry run, and when nothing changed */
  change: number | null;
  results: { kind: Kind; name: string; action: "create" | "update" | "delete" | "unchanged" }[];
  /** of a dry run: what the changes would make of their lines */
  lines: LineChange[];
  findings: Finding[];
}

/** Devices as KubeEdge describes them, in and out. */
export function createKubeEdge(context: CheckingContext, bulk: Bulk) {
  const { db, mappers } = context;
  return {
    /**
     * Stores what can work here, all of it or nothing; a document that cannot is left out and named in the findings.
     *
     * @throws AppError input/invalid when something that was read breaks a rule of this tenant, such as a node it has not;
     *   its fields begin with the document, 'documents[3] Device "press" spec.node'
     */
    async importDocuments(
      caller: Caller,
      tenantName: string,
      request: {
        readonly documents: readonly unknown[];
        readonly node?: string | undefined;
        readonly dryRun?: boolean | undefined;
      },
    ): Promise<KubeEdgeImported> {
      const tenant = await tenantOf(db, caller, tenantName);
      const { documents, node } = request;
      const models = new Map<string, DeviceModelSpec>();
      for (const name of missingModels(documents).slice(0, limits.kubeedgeDocuments)) {
        const row = await findRow(db, tenant, "DeviceModel", name);
        if (row !== undefined) models.set(name, specOf<DeviceModelSpec>(row));
      }
      const manifests = mappers.ofTenant(tenant);
      const { resources, findings } = fromKubeEdge({ documents, tenant: tenantName, manifests, node, models });
      const { id, results, lines } = await bulk
        .applyMany(caller, tenantName, {
          changes: resources.map(({ kind, name, labels, spec }) => ({
            kind,
            name,
            document: { metadata: { name, labels }, spec },
          })),
          dryRun: request.dryRun === true,
          reason: "import",
          note: `${documents.length} documents of KubeEdge`,
        })
        .catch((error: unknown) => {
          throw byDocument(error, resources);
        });
      return {
        change: id === null ? null : Number(id),
        results: results.map(({ kind, name, action }) => ({ kind, name, action })),
        lines,
        findings: [...findings],
      };
    },

    /** The device and its model as v1beta1, and what of it has no place there. */
    async exportDevice(caller: Caller, ref: { readonly tenant: string; readonly device: string }) {
      const { tenant, row, spec } = await findDevice(db, caller, ref);
      const found = async <T>(kind: "Connection" | "DeviceModel", name: string, field: string) =>
        specOf<T>(await mustFind(db, { tenant, kind, name, field }));
      const device = spec as DeviceSpec;
      const connection =
        typeof device.connection === "string"
          ? await found<ConnectionSpec>("Connection", device.connection, "spec.connection")
          : device.connection;
      const model =
        device.model === undefined
          ? null
          : { name: device.model, spec: await found<DeviceModelSpec>("DeviceModel", device.model, "spec.model") };
      const labels = JSON.parse(row.labels) as Record<string, string>;
      const { documents, findings } = toKubeEdge({
        name: row.name,
        labels,
        spec: device,
        model,
        connection,
        tenant: ref.tenant,
      });
      return { documents: [...documents], findings: [...findings] };
    },
  };
}
export type KubeEdge = ReturnType<typeof createKubeEdge>;

/** "changes[3].spec.node" of the third resource is 'documents[1] Device "press" spec.node'. */
function byDocument(error: unknown, resources: readonly KubeEdgeResource[]): unknown {
  if (!(error instanceof AppError) || error.fields.length === 0) return error;
  const fields = error.fields.map((one): FieldError => {
    const [, index, rest = ""] = /^changes\[(\d+)\]\.?(.*)$/.exec(one.field) ?? [];
    const resource = index === undefined ? undefined : resources[Number(index)];
    if (resource === undefined) return one;
    const { kind, name, index: of } = resource;
    return { ...one, field: `documents[${of}] ${kind} "${name}" ${rest}`.trimEnd() };
  });
  return invalid(fields);
}
