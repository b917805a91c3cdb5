import { type DeviceSpec, type ErrorCode, mergeDevice, type ValueType } from "@penstock/model";
import type { Trx } from "./context.ts";
import type { DesiredRow } from "./desired-news.ts";
import { modelOf } from "./model-versions.ts";

/**
 * A device or its model has changed: what no gateway has taken yet and no longer is a value of its property fails now. What a
 * gateway has taken, the gateway judges by the set that it has.
 */
export async function endMisfits(
  trx: Trx,
  change: { readonly tenant: string; readonly device: string; readonly spec: DeviceSpec; readonly now: number },
): Promise<DesiredRow[]> {
  const { tenant, device, spec, now } = change;
  const pending = await trx
    .selectFrom("desired")
    .select(["property", "type"])
    .where("tenant_uid", "=", tenant)
    .where("device_uid", "=", device)
    .where("state", "=", "pending")
    .execute();
  if (pending.length === 0) return [];
  const model = await modelOf(trx, { tenant, device, spec });
  const { properties } = mergeDevice(model?.spec ?? null, spec);
  const ended: DesiredRow[] = [];
  for (const { property, type } of pending) {
    const misfit = misfitOf(property, type, properties.get(property)?.type);
    if (misfit === null) continue;
    const row = await trx
      .updateTable("desired")
      .set({ state: "failed", ...misfit, updated_at: now, ended_at: now })
      .where("tenant_uid", "=", tenant)
      .where("device_uid", "=", device)
      .where("property", "=", property)
      .where("state", "=", "pending")
      .returningAll()
      .executeTakeFirst();
    if (row !== undefined) ended.push(row);
  }
  return ended;
}

function misfitOf(
  property: string,
  type: string,
  present: ValueType | undefined,
): { readonly reason: ErrorCode; readonly message: string } | null {
  if (present === undefined) {
    return { reason: "twin/unknown-property", message: `Property "${property}" was removed before the value went out` };
  }
  if (present === type) return null;
  const message = `Property "${property}" became ${present} before the value went out, which is ${type}`;
  return { reason: "twin/wrong-type", message };
}
