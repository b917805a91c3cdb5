import { checkShape, contract } from "@penstock/api";
import {
  AppError,
  checkModelSpec,
  type DeviceModelSpec,
  type DeviceSpec,
  effectiveChanges,
  type FieldChange,
  type FieldError,
  invalid,
  mergeDevice,
} from "@penstock/model";
import type { Caller, CheckingContext, Ref } from "./context.ts";
import { checkDeviceSpec } from "./device-references.ts";
import { createLines } from "./line-places.ts";
import { createModelVersions } from "./model-versions.ts";
import { findRow, rowsNaming, specOf } from "./resource-rows.ts";
import { notFound, tenantOf } from "./tenant-check.ts";

/** Fields shown of one device: a model of 10,000 properties would fill the answer with them. */
const changesMost = 200;

/** One device that an edit of its model reaches. */
export interface TouchedDevice {
  device: string;
  node: string;
  /** in effect; none where the device overrides all that is edited */
  changes: FieldChange[];
  /** how many there are, of which `changes` shows up to 200 */
  changed: number;
  /** what would then break; such an edit is refused as a whole */
  breaks: FieldError[];
}
export interface ModelPreview {
  model: string;
  touches: TouchedDevice[];
  /** devices that use the model and stay in effect as they are */
  untouched: number;
}

/** Which devices an edit of a model touches, and how; nothing is stored. */
export function createModelPreview(context: CheckingContext) {
  const { db, mappers, secrets } = context;
  return {
    /** @throws AppError input/invalid when the model itself breaks a rule */
    async preview(caller: Caller, ref: Ref, input: unknown): Promise<ModelPreview> {
      const tenant = await tenantOf(db, caller, ref.tenant);
      const shape = checkShape(contract.modelling.routes.preview.body, input);
      if (shape.length > 0) throw invalid(shape);
      // checkShape has just said that it is one.
      const { spec: given } = input as { readonly spec: DeviceModelSpec };
      const fields = checkModelSpec(given, mappers.ofTenant(tenant));
      if (fields.length > 0) throw invalid(fields);
      const spec = secrets.hide({ tenant_uid: tenant, kind: "DeviceModel" }, given);
      if ((await findRow(db, tenant, "DeviceModel", ref.name)) === undefined) throw notFound("DeviceModel", ref.name);
      const instead = { model: { name: ref.name, spec } };
      const lines = createLines({ db, tenant, mappers, instead });
      const versions = createModelVersions(db, tenant);
      const touches: TouchedDevice[] = [];
      let untouched = 0;
      for (const row of await rowsNaming(db, tenant, "Device", "model", ref.name)) {
        const device = specOf<DeviceSpec>(row);
        const now = (await versions.of(row.uid, device))?.spec ?? null;
        const changes = effectiveChanges(mergeDevice(now, device), mergeDevice(spec, device));
        const about = { db, mappers, tenant, name: row.name, spec: device, instead, lines };
        const breaks = await checkDeviceSpec(about).then(() => [], fieldsOf);
        if (changes.length === 0 && breaks.length === 0) untouched += 1;
        else {
          const shown = changes.slice(0, changesMost);
          touches.push({ device: row.name, node: device.node, changes: shown, changed: changes.length, breaks });
        }
      }
      return { model: ref.name, touches, untouched };
    },
  };
}

function fieldsOf(error: unknown): FieldError[] {
  if (!(error instanceof AppError)) throw error;
  return [...error.fields];
}
