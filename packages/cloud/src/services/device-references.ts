import {
  AppError,
  type ConnectionSpec,
  checkDeviceSpec as checkAll,
  type DeviceModelSpec,
  type DeviceSpec,
  type FieldError,
  invalid,
  unknownMapperRule,
} from "@penstock/model";
import type { Reader } from "./context.ts";
import { type Instead, type Lines, linesOf } from "./line-places.ts";
import type { Mappers } from "./mappers.ts";
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

/** Everything that must hold for a device in its tenant; the stand-ins are what a running change is about to store. */
export async function checkDeviceSpec(options: {
  readonly db: Reader;
  readonly mappers: Pick<Mappers, "ofNode" | "hasTold">;
  readonly tenant: string;
  readonly name: string;
  readonly spec: DeviceSpec;
  readonly instead?: Instead;
  /** of the transaction unless given */
  readonly lines?: Lines;
}): Promise<{ node: Row }> {
  const { db, mappers, tenant, name, spec, instead } = options;
  const node = await mustFind(db, { tenant, kind: "Node", name: spec.node, field: "spec.node" });
  const manifests = mappers.ofNode(tenant, node.uid);
  let connection: ConnectionSpec | null = null;
  if (typeof spec.connection === "string") {
    const at = { tenant, kind: "Connection", name: spec.connection, field: "spec.connection" } as const;
    connection = instead?.connection ?? specOf<ConnectionSpec>(await mustFind(db, at));
  }
  let model: DeviceModelSpec | null = null;
  if (spec.model !== undefined) {
    const at = { tenant, kind: "DeviceModel", name: spec.model, field: "spec.model" } as const;
    const isChanging = instead?.model?.name === spec.model;
    model = isChanging ? instead.model.spec : specOf<DeviceModelSpec>(await mustFind(db, at));
  }
  const lines = options.lines ?? linesOf(db, tenant, mappers);
  const line =
    connection === null
      ? undefined
      : await lines.of({ name: spec.connection as string, spec: connection, manifests, except: name });
  const fields = checkAll(name, spec, { manifests, connection, model, ...(line !== undefined && { line }) });
  if (fields.length > 0) throw invalid(withHint(fields, { mappers, tenant, node }));
  return { node };
}

/** A protocol that nobody here knows may be one of a gateway that has not come yet. */
export function withHint(
  fields: readonly FieldError[],
  at: { readonly mappers: Pick<Mappers, "hasTold">; readonly tenant: string; readonly node: Row },
): FieldError[] {
  const { mappers, tenant, node } = at;
  if (mappers.hasTold(tenant, node.uid)) return [...fields];
  const hint = `; gateway "${node.name}" has not told its own yet: connect it first`;
  return fields.map((one) => (one.rule.startsWith(unknownMapperRule) ? { ...one, rule: one.rule + hint } : one));
}

/** The same for devices that a change of a connection or model would touch: the first that breaks is named. */
export async function checkDependents(
  rows: readonly Row[],
  check: (spec: DeviceSpec, name: string) => Promise<unknown>,
): Promise<void> {
  for (const row of rows) {
    try {
      await check(specOf<DeviceSpec>(row), row.name);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      throw new AppError(error.code, `Device "${row.name}" would break: ${error.message}`, {
        cause: error,
        fields: error.fields.map((one) => ({ ...one, field: `Device "${row.name}" ${one.field}` })),
      });
    }
  }
}
