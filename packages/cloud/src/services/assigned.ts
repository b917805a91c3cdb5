import {
  type AssignedSet,
  type ConnectionSpec,
  type ConnectionUid,
  type DeviceSpec,
  type DeviceUid,
  type EffectiveConnection,
  type EffectiveDevice,
  effectiveConnection,
  effectiveDevice,
  effectiveMqtt,
  mergeDevice,
  type NodeSpec,
  type NodeUid,
  type TenantUid,
} from "@penstock/model";
import type { CheckingContext, Reader, Trx } from "./context.ts";
import { inlineConnectionUid } from "./inline-connection.ts";
import { createModelVersions } from "./model-versions.ts";
import { findRow, type Row, rowsNaming } from "./resource-rows.ts";
import { rulesOf } from "./rules-of-node.ts";

/** The node has changed: its set gets the next version, in the same transaction. */
export async function bumpAssigned(trx: Trx, tenant: string, node: string): Promise<void> {
  await trx
    .insertInto("assigned_versions")
    .values({ tenant_uid: tenant, node_uid: node, version: 1, applied: 0 })
    .onConflict((conflict) =>
      conflict
        .columns(["tenant_uid", "node_uid"])
        .doUpdateSet((eb) => ({ version: eb("assigned_versions.version", "+", 1) })),
    )
    .execute();
}

/** History of who may speak for whom: the device is at this node from now on (null: at none). */
export async function assign(
  trx: Trx,
  change: { readonly tenant: string; readonly device: string; readonly node: string | null; readonly now: number },
): Promise<void> {
  const { tenant, device, node, now } = change;
  await trx
    .updateTable("assignments")
    .set({ ended_at: now })
    .where("tenant_uid", "=", tenant)
    .where("device_uid", "=", device)
    .where("ended_at", "is", null)
    .where("node_uid", "!=", node ?? "")
    .execute();
  if (node === null) return;
  await trx
    .insertInto("assignments")
    .values({ tenant_uid: tenant, node_uid: node, device_uid: device, first_at: now, ended_at: null })
    .onConflict((conflict) =>
      conflict.columns(["tenant_uid", "node_uid", "device_uid"]).doUpdateSet({ ended_at: null }),
    )
    .execute();
}

/** Device rows that are assigned to a node now. */
export async function devicesOf(db: Reader, tenant: string, node: string): Promise<Row[]> {
  return db
    .selectFrom("resources")
    .innerJoin("assignments", "assignments.device_uid", "resources.uid")
    .selectAll("resources")
    .where("assignments.tenant_uid", "=", tenant)
    .where("assignments.node_uid", "=", node)
    .where("assignments.ended_at", "is", null)
    .where("resources.tenant_uid", "=", tenant)
    .where("resources.deleted_at", "is", null)
    .orderBy("resources.name")
    .execute();
}

export function createAssigned(context: Pick<CheckingContext, "db" | "secrets">) {
  const { db, secrets } = context;
  return {
    /** What the gateway shall do. The version is read first: content may be newer than it says, never older. */
    async get(tenant: TenantUid, node: Row): Promise<AssignedSet> {
      const state = await db
        .selectFrom("assigned_versions")
        .select("version")
        .where("tenant_uid", "=", tenant)
        .where("node_uid", "=", node.uid)
        .executeTakeFirst();
      const tenantRow = await db
        .selectFrom("resources")
        .select("name")
        .where("uid", "=", tenant)
        .executeTakeFirstOrThrow();
      const { timeZone = "UTC", mqtt } = secrets.open<NodeSpec>(node);
      const connections = new Map<string, EffectiveConnection>();
      const devices: EffectiveDevice[] = [];
      const models = createModelVersions(db, tenant, (row) => secrets.open(row));
      const shared = new Map<string, Row | undefined>();
      // Those without devices as well: a server is browsed before there is one.
      for (const row of await rowsNaming(db, tenant, "Connection", "node", node.name)) {
        const connection = effectiveConnection({
          uid: row.uid as ConnectionUid,
          name: row.name,
          spec: secrets.open<ConnectionSpec>(row),
        });
        connections.set(connection.uid, connection);
        shared.set(row.name, row);
      }
      for (const row of await devicesOf(db, tenant, node.uid)) {
        const uid = row.uid as DeviceUid;
        const spec = secrets.open<DeviceSpec>(row);
        let connection: EffectiveConnection;
        if (typeof spec.connection === "string") {
          if (!shared.has(spec.connection)) {
            shared.set(spec.connection, await findRow(db, tenant, "Connection", spec.connection));
          }
          const found = shared.get(spec.connection);
          // Deleted between the two reads: the change that deleted it has raised the version, so this set is replaced.
          if (found === undefined) continue;
          connection = effectiveConnection({
            uid: found.uid as ConnectionUid,
            name: found.name,
            spec: secrets.open<ConnectionSpec>(found),
          });
        } else {
          connection = effectiveConnection({ uid: inlineConnectionUid(uid), name: row.name, spec: spec.connection });
        }
        connections.set(connection.uid, connection);
        const merged = mergeDevice((await models.of(uid, spec))?.spec ?? null, spec);
        devices.push(
          effectiveDevice({ uid, name: row.name, generation: row.generation, connection: connection.uid, merged }),
        );
      }
      return {
        version: state?.version ?? 0,
        tenant: { uid: tenant, name: tenantRow.name },
        node: { uid: node.uid as NodeUid, name: node.name, timeZone, mqtt: effectiveMqtt(mqtt) },
        connections: [...connections.values()],
        devices,
        rules: await rulesOf(db, { tenant, node, secrets }),
      };
    },
    async applied(tenant: TenantUid, node: NodeUid, version: number): Promise<void> {
      await db
        .updateTable("assigned_versions")
        .set({ applied: version })
        .where("tenant_uid", "=", tenant)
        .where("node_uid", "=", node)
        .where("applied", "<", version)
        .execute();
    },
    /** it is, or was once, assigned */
    async was(tenant: TenantUid, node: NodeUid, device: DeviceUid): Promise<boolean> {
      const row = await db
        .selectFrom("assignments")
        .select("device_uid")
        .where("tenant_uid", "=", tenant)
        .where("node_uid", "=", node)
        .where("device_uid", "=", device)
        .executeTakeFirst();
      return row !== undefined;
    },
  };
}
export type Assigned = ReturnType<typeof createAssigned>;
