import { AppError, type DeviceModelSpec, type DeviceSpec, type TenantUid } from "@penstock/model";
import type { Caller, Reader } from "./context.ts";
import { type MergedProperty, mergeDevice } from "./effective-device.ts";
import { findRow, type Row, specOf } from "./resource-rows.ts";
import { notFound, tenantOf } from "./tenant-check.ts";

export interface FoundDevice {
  readonly tenant: TenantUid;
  readonly tenantName: string;
  readonly row: Row;
  readonly spec: DeviceSpec;
  /** model merged in */
  readonly properties: ReadonlyMap<string, MergedProperty>;
}

/** @throws AppError resource/not-found for a tenant the caller may not see, in the words for one that is not there */
export async function findDevice(
  db: Reader,
  caller: Caller,
  ref: { readonly tenant: string; readonly device: string },
): Promise<FoundDevice> {
  const tenant = await tenantOf(db, caller, ref.tenant);
  const row = await findRow(db, tenant, "Device", ref.device);
  if (row === undefined) throw notFound("Device", ref.device);
  const spec = specOf<DeviceSpec>(row);
  const model = spec.model === undefined ? undefined : await findRow(db, tenant, "DeviceModel", spec.model);
  const merged = mergeDevice(model === undefined ? null : specOf<DeviceModelSpec>(model), spec);
  return { tenant, tenantName: ref.tenant, row, spec, properties: merged.properties };
}

/** @throws AppError twin/unknown-property naming up to ten that there are */
export function propertyOf(device: FoundDevice, name: string): MergedProperty {
  const found = device.properties.get(name);
  if (found !== undefined) return found;
  const known = [...device.properties.keys()].slice(0, 10).join(", ");
  throw new AppError(
    "twin/unknown-property",
    `Cannot find property "${name}" of device "${device.row.name}": it has ${known === "" ? "none" : known}`,
  );
}
