import type { DatabaseSync } from "node:sqlite";
import { AppError, type DeviceUid, type Layout, type TenantUid, type ValueType } from "@penstock/model";

export interface StoredLayout extends Layout {
  readonly tenant: TenantUid;
  readonly positions: ReadonlyMap<string, number>;
}

/** Layouts never change, so each is parsed once. Bound: properties, some 150 bytes each; the oldest layouts go. */
export function createLayouts(db: DatabaseSync, propertiesKept = 200_000) {
  let held = 0;
  const byId = new Map<number, StoredLayout>();
  const select = db.prepare("SELECT id, tenant, device, properties FROM layout WHERE id = ?");
  const ofDevice = db.prepare("SELECT id FROM layout WHERE tenant = ? AND device = ? ORDER BY id");

  function get(id: number): StoredLayout {
    const known = byId.get(id);
    if (known !== undefined) return known;
    const row = select.get(id);
    if (row === undefined) throw new AppError("store/corrupt", `Cannot read layout ${id}: there is none`);
    const properties = (JSON.parse(String(row.properties)) as [string, ValueType][]).map(([name, type]) => ({
      name,
      type,
    }));
    const layout: StoredLayout = {
      id,
      tenant: row.tenant as TenantUid,
      device: row.device as DeviceUid,
      properties,
      positions: new Map(properties.map((property, position) => [property.name, position])),
    };
    byId.set(id, layout);
    held += properties.length;
    for (const [oldest, { properties: gone }] of byId) {
      if (held <= propertiesKept || oldest === id) break;
      byId.delete(oldest);
      held -= gone.length;
    }
    return layout;
  }
  return {
    get,
    /** layouts held in memory */
    get size() {
      return byId.size;
    },
    /** of one tenant's device, oldest first */
    of: (tenant: TenantUid, device: DeviceUid) => ofDevice.all(tenant, device).map((row) => get(Number(row.id))),
  };
}
export type Layouts = ReturnType<typeof createLayouts>;
