import {
  AppError,
  type ConnectionSpec,
  checkConnectionSpec,
  type DeviceSpec,
  type FieldError,
  type MapperManifest,
  type NodeIdentity,
} from "@penstock/model";
import { chunksOf } from "./chunks-of.ts";
import type { Reader, ServiceContext, Trx } from "./context.ts";
import { checkDeviceSpec } from "./device-references.ts";
import { createLines } from "./line-places.ts";
import type { Mappers } from "./mappers.ts";
import type { Names } from "./names.ts";
import { type Row, rowsNaming, specOf } from "./resource-rows.ts";
import type { StandingAlarms } from "./standing-alarms.ts";

/** Resources that an alarm names, of those that do not fit. */
const namedMost = 5;

interface Finding {
  readonly row: Row;
  readonly fields: readonly FieldError[];
}

/**
 * Whether a gateway's connections and devices still fit its mappers. They were checked when they were stored; a gateway may
 * have another mapper since. What does not fit is named and left as it is.
 */
export function createMapperFit(
  context: Pick<ServiceContext, "db" | "clock" | "log">,
  parts: {
    readonly mappers: Pick<Mappers, "own" | "ofNode" | "hasTold" | "textOf">;
    readonly names: Names;
    readonly alarms: StandingAlarms;
  },
) {
  const { db, clock, log } = context;
  const { mappers, names, alarms } = parts;
  /** nodes to look at: each stands here once, however often it is asked for */
  const waiting = new Map<string, NodeIdentity>();
  let running: Promise<void> = Promise.resolve();
  let isRunning = false;
  let isClosed = false;

  async function run(): Promise<void> {
    for (let [node] = waiting.values(); node !== undefined && !isClosed; [node] = waiting.values()) {
      waiting.delete(keyOf(node));
      try {
        await look(node);
      } catch (error) {
        log.error({ node: node.node, error: String(error) }, "Devices could not be held against the gateway's mappers");
      }
    }
    isRunning = false;
  }

  async function look({ tenant, node }: NodeIdentity): Promise<void> {
    const manifests = mappers.ofNode(tenant, node);
    const checked = mappers.textOf(manifests);
    const before = await db
      .selectFrom("node_mapper_sets")
      .select("checked")
      .where("tenant_uid", "=", tenant)
      .where("node_uid", "=", node)
      .executeTakeFirst();
    if (before === undefined || before.checked === checked) return;
    // Until now they were checked by the cloud's own.
    const isNew = before.checked !== null || checked !== mappers.textOf(mappers.own);
    const found = isNew ? await findings(tenant, node, manifests) : [];
    await db.transaction().execute(async (trx) => {
      await keep(trx, { tenant, node }, found);
      await trx
        .updateTable("node_mapper_sets")
        .set({ checked })
        .where("tenant_uid", "=", tenant)
        .where("node_uid", "=", node)
        .execute();
    });
    await tell(tenant, node);
  }

  async function findings(tenant: string, node: string, manifests: readonly MapperManifest[]): Promise<Finding[]> {
    const name = await names.of(node);
    if (name === null) return [];
    const found: Finding[] = [];
    for (const row of await rowsNaming(db, tenant, "Connection", "node", name)) {
      const fields = checkConnectionSpec(specOf<ConnectionSpec>(row), manifests);
      if (fields.length > 0) found.push({ row, fields });
    }
    const lines = createLines({ db, tenant, mappers });
    for (const row of await rowsNaming(db, tenant, "Device", "node", name)) {
      const about = { db, mappers, tenant, name: row.name, spec: specOf<DeviceSpec>(row), lines };
      const fields = await checkDeviceSpec(about).then(() => [], fieldsOf);
      if (fields.length > 0) found.push({ row, fields });
    }
    return found;
  }

  /** What has changed since it was looked at was checked on its way in. */
  async function keep(trx: Trx, { tenant, node }: NodeIdentity, found: readonly Finding[]): Promise<void> {
    await trx.deleteFrom("mapper_findings").where("tenant_uid", "=", tenant).where("node_uid", "=", node).execute();
    for (const chunk of chunksOf(found)) {
      const versions = await trx
        .selectFrom("resources")
        .select(["uid", "resource_version"])
        .where("deleted_at", "is", null)
        .where(
          "uid",
          "in",
          chunk.map(({ row }) => row.uid),
        )
        .execute();
      const present = new Map(versions.map(({ uid, resource_version }) => [uid, resource_version]));
      const rows = chunk
        .filter(({ row }) => present.get(row.uid) === row.resource_version)
        .map(({ row, fields }) => ({
          ...{ tenant_uid: tenant, uid: row.uid, node_uid: node, kind: row.kind, name: row.name },
          ...{ fields: JSON.stringify(fields), found_at: clock.now() },
        }));
      if (rows.length > 0) await trx.insertInto("mapper_findings").values(rows).execute();
    }
  }

  async function tell(tenant: string, node: string): Promise<void> {
    const rows = await db
      .selectFrom("mapper_findings")
      .select(["kind", "name", "fields"])
      .where("tenant_uid", "=", tenant)
      .where("node_uid", "=", node)
      .orderBy("kind")
      .orderBy("name")
      .execute();
    const named = rows.slice(0, namedMost).map(({ kind, name, fields }) => {
      const [first] = JSON.parse(fields) as FieldError[];
      return `${kind} "${name}" ${first?.field}: ${first?.value}: ${first?.rule}`;
    });
    const more = rows.length > namedMost ? ` and ${rows.length - namedMost} more` : "";
    const message = `${rows.length} of its resources do not fit the mappers that the gateway has now: ${named.join("; ")}${more}`;
    alarms.set(tenant, node, "mapper/devices-unfit", new Map(rows.length === 0 ? [] : [["devices", message]]));
  }

  return {
    /** The gateway's mappers may be others now; looks when its turn comes. */
    lookAt(identity: NodeIdentity): void {
      if (isClosed) return;
      waiting.set(keyOf(identity), identity);
      if (isRunning) return;
      isRunning = true;
      running = running.then(run);
    },
    /** A resource was stored, or deleted: what was found of it before is over. Returns what tells so, for after the commit. */
    async settled(trx: Trx, { tenant, uid }: { readonly tenant: string; readonly uid: string }): Promise<() => void> {
      const row = await trx
        .selectFrom("mapper_findings")
        .select("node_uid")
        .where("tenant_uid", "=", tenant)
        .where("uid", "=", uid)
        .executeTakeFirst();
      if (row === undefined) return () => {};
      await trx.deleteFrom("mapper_findings").where("tenant_uid", "=", tenant).where("uid", "=", uid).execute();
      return () => {
        running = running
          .then(() => tell(tenant, row.node_uid))
          .catch((error: unknown) => {
            log.error({ error: String(error) }, "What does not fit a gateway's mappers could not be read");
          });
      };
    },
    /**
     * Something changed that several of a gateway's resources are made of: what was found of them is looked at again. Returns
     * what does so, for after the commit.
     */
    async surroundingsChanged(trx: Trx, identity: NodeIdentity): Promise<() => void> {
      const { tenant, node } = identity;
      const any = await trx
        .selectFrom("mapper_findings")
        .select("uid")
        .where("tenant_uid", "=", tenant)
        .where("node_uid", "=", node)
        .executeTakeFirst();
      if (any === undefined) return () => {};
      await trx
        .updateTable("node_mapper_sets")
        .set({ checked: "" })
        .where("tenant_uid", "=", tenant)
        .where("node_uid", "=", node)
        .execute();
      return () => this.lookAt(identity);
    },
    /** by uid, what does not fit; nothing of those that do */
    async of(reader: Reader, tenant: string, uids: readonly string[]): Promise<ReadonlyMap<string, FieldError[]>> {
      const found = new Map<string, FieldError[]>();
      for (const chunk of chunksOf(uids)) {
        const rows = await reader
          .selectFrom("mapper_findings")
          .select(["uid", "fields"])
          .where("tenant_uid", "=", tenant)
          .where("uid", "in", chunk)
          .execute();
        for (const { uid, fields } of rows) found.set(uid, JSON.parse(fields) as FieldError[]);
      }
      return found;
    },
    /** resolves when nothing is in flight; what waits is looked at after the next start */
    async close(): Promise<void> {
      isClosed = true;
      await running;
    },
  };
}
export type MapperFit = ReturnType<typeof createMapperFit>;

function keyOf({ tenant, node }: NodeIdentity): string {
  return `${tenant}/${node}`;
}

function fieldsOf(error: unknown): FieldError[] {
  if (!(error instanceof AppError) || error.fields.length === 0) throw error;
  return [...error.fields];
}
