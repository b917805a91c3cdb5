import {
  AppError,
  type DeviceSpec,
  type MergedDevice,
  type MergedProperty,
  type MethodSpec,
  mergeDevice,
  type TenantUid,
} from "@penstock/model";
import type { Caller, Reader } from "./context.ts";
import { modelOf } from "./model-versions.ts";
import { findRow, type Row, specOf } from "./resource-rows.ts";
import { notFound, tenantOf } from "./tenant-check.ts";

export interface FoundDevice {
  readonly tenant: TenantUid;
  readonly tenantName: string;
  readonly row: Row;
  readonly spec: DeviceSpec;
  /** model merged in */
  readonly properties: ReadonlyMap<string, MergedProperty>;
  readonly methods: MergedDevice["methods"];
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
  const known = knownOf(db);
  const spec = known.specs.get(row.resource_version) ?? specOf<DeviceSpec>(row);
  keep(known.specs, row.resource_version, spec);
  const model = await modelOf(db, { tenant, device: row.uid, spec });
  const versions = `${row.resource_version}/${model?.version ?? ""}`;
  const merged = known.merged.get(versions) ?? mergeDevice(model?.spec ?? null, spec);
  keep(known.merged, versions, merged);
  const { properties, methods } = merged;
  return { tenant, tenantName: ref.tenant, row, spec, properties, methods };
}

/** Specs and merged properties by resource version, which no two resources share and no change keeps. */
interface Known {
  readonly specs: Map<number, DeviceSpec>;
  readonly merged: Map<string, MergedDevice>;
}
const knownByDb = new WeakMap<Reader, Known>();
/** Devices held; beyond it the one asked for longest ago goes. A device of 1,000 properties takes about 1 MB. */
const knownMost = 64;

/** Parsing and merging 1,000 properties takes milliseconds, and a trend asks for each property of a device in turn. */
function knownOf(db: Reader): Known {
  const known = knownByDb.get(db) ?? { specs: new Map(), merged: new Map() };
  knownByDb.set(db, known);
  return known;
}

function keep<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > knownMost) map.delete(map.keys().next().value!);
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

/** @throws AppError twin/unknown-method naming those that there are */
export function methodOf(device: FoundDevice, name: string): MethodSpec {
  const found = device.methods.get(name);
  if (found !== undefined) return found;
  const known = [...device.methods.keys()].slice(0, 10).join(", ");
  throw new AppError(
    "twin/unknown-method",
    `Cannot find method "${name}" of device "${device.row.name}": it has ${known === "" ? "none" : known}`,
  );
}
