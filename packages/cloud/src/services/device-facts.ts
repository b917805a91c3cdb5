import type { DeviceSpec } from "@penstock/model";
import { chunksOf } from "./chunks-of.ts";
import type { Reader } from "./context.ts";
import { type Row, specOf } from "./resource-rows.ts";

/** What must be known of every device of a tenant to find those of a line, without reading their documents. */
export interface DeviceFact {
  readonly uid: string;
  readonly name: string;
  /** of the row: another one means that something has changed */
  readonly version: number;
  readonly node: string;
  /** name of its Connection; null when it has one of its own */
  readonly connection: string | null;
  readonly model: string | undefined;
}

/** Devices held, some 200 bytes each; beyond it all documents are read again. */
const factsMost = 200_000;

/** A hundred connections of ten thousand devices would else be a million searches in texts. */
export function createDeviceFacts(db: Reader) {
  const known = new Map<string, DeviceFact>();
  return {
    /** of all live devices, by name */
    async of(tenant: string): Promise<DeviceFact[]> {
      const stored = await db
        .selectFrom("resources")
        .select(["uid", "resource_version"])
        .where("tenant_uid", "=", tenant)
        .where("kind", "=", "Device")
        .where("deleted_at", "is", null)
        .orderBy("name")
        .execute();
      const fresh = new Map<string, DeviceFact>();
      const unknown = stored.filter(({ uid, resource_version }) => known.get(uid)?.version !== resource_version);
      for (const row of await this.rowsOf(unknown.map(({ uid }) => uid))) fresh.set(row.uid, factOf(row));
      const facts = stored.flatMap(({ uid }) => fresh.get(uid) ?? known.get(uid) ?? []);
      if (known.size + fresh.size > factsMost) known.clear();
      for (const [uid, fact] of fresh) known.set(uid, fact);
      return facts;
    },
    /** the documents of some, live ones only */
    async rowsOf(uids: readonly string[]): Promise<Row[]> {
      const rows: Row[] = [];
      for (const chunk of chunksOf(uids)) {
        const stored = db.selectFrom("resources").selectAll().where("uid", "in", chunk).where("deleted_at", "is", null);
        rows.push(...(await stored.execute()));
      }
      return rows;
    },
  };
}
export type DeviceFacts = ReturnType<typeof createDeviceFacts>;

export function factOf(row: Row): DeviceFact {
  const { node, connection, model } = specOf<DeviceSpec>(row);
  return {
    ...{ uid: row.uid, name: row.name, version: row.resource_version, node, model },
    connection: typeof connection === "string" ? connection : null,
  };
}
