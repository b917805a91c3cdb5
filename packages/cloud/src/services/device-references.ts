import {
  AppError,
  type ConnectionSpec,
  checkAgainstManifest,
  checkDevice,
  type DeviceModelSpec,
  type DeviceSpec,
  type FieldError,
  invalid,
  type MapperManifest,
  mergeDevice,
} from "@penstock/model";
import type { Reader } from "./context.ts";
import { findRow, type Row, specOf } from "./resource-rows.ts";

/** @throws AppError resource/missing-reference naming field and name */
export async function mustFind(
  db: Reader,
  at: {
    readonly tenant: string;
    readonly kind: "Node" | "Connection" | "DeviceModel";
    readonly name: string;
    readonly field: string;
  },
): Promise<Row> {
  const row = await findRow(db, at.tenant, at.kind, at.name);
  if (row !== undefined) return row;
  const rule = `there is no ${at.kind} of that name in this tenant`;
  throw new AppError("resource/missing-reference", `Invalid ${at.field}: "${at.name}": ${rule}`, {
    fields: [{ field: at.field, value: `"${at.name}"`, rule }],
  });
}

/** @throws AppError input/invalid naming the mappers there are */
export function mustManifest(manifests: readonly MapperManifest[], protocol: string, field: string): MapperManifest {
  const found = manifests.find((manifest) => manifest.name === protocol);
  if (found !== undefined) return found;
  const known = manifests.map((manifest) => manifest.name).sort();
  throw invalid([
    { field, value: `"${protocol}"`, rule: `must be the name of a mapper: ${known.join(", ") || "none is installed"}` },
  ]);
}

/** Everything that must hold for a device in its tenant; the stand-ins are what a running change is about to store. */
export async function checkDeviceSpec(options: {
  readonly db: Reader;
  readonly manifests: readonly MapperManifest[];
  readonly tenant: string;
  readonly spec: DeviceSpec;
  readonly instead?: { readonly connection?: ConnectionSpec; readonly model?: DeviceModelSpec };
}): Promise<{ node: Row }> {
  const { db, manifests, tenant, spec, instead } = options;
  const node = await mustFind(db, { tenant, kind: "Node", name: spec.node, field: "spec.node" });
  let manifest: MapperManifest;
  const fields: FieldError[] = [];
  if (typeof spec.connection === "string") {
    const field = "spec.connection";
    const connection =
      instead?.connection ??
      specOf<ConnectionSpec>(await mustFind(db, { tenant, kind: "Connection", name: spec.connection, field }));
    if (connection.node !== spec.node) {
      const rule = `must be at the device's node "${spec.node}", but is at "${connection.node}"`;
      throw invalid([{ field, value: `"${spec.connection}"`, rule }]);
    }
    manifest = mustManifest(manifests, connection.protocol, field);
  } else {
    manifest = mustManifest(manifests, spec.connection.protocol, "spec.connection.protocol");
    const settings = { connection: spec.connection.settings ?? {} };
    fields.push(...checkAgainstManifest(manifest, settings, { connection: "spec.connection.settings" }));
  }
  let model: DeviceModelSpec | null = null;
  if (spec.model !== undefined) {
    const at = { tenant, kind: "DeviceModel", name: spec.model, field: "spec.model" } as const;
    model = instead?.model ?? specOf<DeviceModelSpec>(await mustFind(db, at));
  }
  fields.push(...checkDevice(mergeDevice(model, spec), manifest));
  if (fields.length > 0) throw invalid(fields);
  return { node };
}

/** The same for devices that a change of a connection or model would touch: the first that breaks is named. */
export async function checkDependents(
  rows: readonly Row[],
  check: (spec: DeviceSpec) => Promise<unknown>,
): Promise<void> {
  for (const row of rows) {
    try {
      await check(specOf<DeviceSpec>(row));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      throw new AppError(error.code, `Device "${row.name}" would break: ${error.message}`, {
        cause: error,
        fields: error.fields.map((one) => ({ ...one, field: `Device "${row.name}" ${one.field}` })),
      });
    }
  }
}
