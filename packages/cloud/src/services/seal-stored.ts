import { createHash } from "node:crypto";
import { kindsWithSecrets } from "@penstock/model";
import { sql } from "kysely";
import { chunksOf } from "./chunks-of.ts";
import type { CheckingContext, Trx } from "./context.ts";

/** Rows looked through in one transaction; other changes wait meanwhile. */
const rowsAtOnce = 50;
const kinds = [...kindsWithSecrets];

/**
 * Seals what of a tenant stands in the store in plain text: from before there was a key, or because only now a mapper says
 * that one of its fields is secret; and seals anew what an older key sealed. Nobody sees a difference: no version, no news.
 * What is done is noted, so that a start with nothing to do looks through nothing.
 */
export function createSealStored(context: Pick<CheckingContext, "db" | "log" | "box" | "secrets" | "mappers">) {
  const { db, box, secrets, mappers } = context;
  const log = context.log.with({ stage: "services" });
  let working: Promise<void> = Promise.resolve();
  let isClosed = false;
  /** by tenant, the fields by which it was looked through: a whole fleet may tell its mappers at once */
  const looked = new Map<string, ReadonlySet<string>>();

  function stateOf(fields: ReadonlySet<string>): string {
    const hash = createHash("sha256").update(box.keyId);
    for (const field of [...fields].sort()) hash.update(`\n${field}`);
    return hash.digest("hex");
  }
  const noteOf = (tenant: string) => `secrets sealed ${tenant}`;

  async function ofResources(trx: Trx, uids: readonly string[]): Promise<number> {
    let sealed = 0;
    for (const row of await trx.selectFrom("resources").selectAll().where("uid", "in", uids).execute()) {
      const spec = secrets.resealed(row);
      if (spec === null) continue;
      await trx.updateTable("resources").set({ spec }).where("uid", "=", row.uid).execute();
      sealed += 1;
    }
    for (const row of await trx.selectFrom("resource_versions").selectAll().where("uid", "in", uids).execute()) {
      const spec = secrets.resealed(row);
      if (spec === null) continue;
      const { uid, version } = row;
      await trx
        .updateTable("resource_versions")
        .set({ spec })
        .where("uid", "=", uid)
        .where("version", "=", version)
        .execute();
      sealed += 1;
    }
    for (const row of await trx.selectFrom("model_rollouts").selectAll().where("model_uid", "in", uids).execute()) {
      const { tenant_uid, model_uid: uid, previous } = row;
      const spec = secrets.resealed({ tenant_uid, kind: "DeviceModel", uid, spec: previous });
      if (spec === null) continue;
      await trx.updateTable("model_rollouts").set({ previous: spec }).where("model_uid", "=", uid).execute();
      sealed += 1;
    }
    return sealed;
  }

  async function look(tenant: string): Promise<void> {
    const fields = mappers.secretFields(tenant);
    if (looked.get(tenant) === fields) return;
    const [name, value] = [noteOf(tenant), JSON.stringify(stateOf(fields))];
    const note = await db.selectFrom("settings").select("value").where("name", "=", name).executeTakeFirst();
    if (note?.value === value) {
      looked.set(tenant, fields);
      return;
    }
    const rows = await db
      .selectFrom("resources")
      .select("uid")
      .where("tenant_uid", "=", tenant)
      .where("kind", "in", kinds)
      .execute();
    let sealed = 0;
    for (const uids of chunksOf(
      rows.map(({ uid }) => uid),
      rowsAtOnce,
    )) {
      if (isClosed) return;
      sealed += await db.transaction().execute((trx) => ofResources(trx, uids));
    }
    if (sealed > 0) {
      // What was overwritten stays in free pages and in the write-ahead log until both are written anew.
      await sql`vacuum`.execute(db);
      await sql`pragma wal_checkpoint(truncate)`.execute(db);
      log.info({ tenant, sealed }, "Sealed secrets that were stored before");
    }
    await db
      .insertInto("settings")
      .values({ name, value })
      .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
      .execute();
    looked.set(tenant, fields);
  }

  return {
    /** All that is stored is sealed when it resolves. */
    async start(): Promise<void> {
      const tenants = await db.selectFrom("resources").select("uid").where("kind", "=", "Tenant").execute();
      for (const { uid } of tenants) await look(uid);
    },
    /** A gateway of the tenant told its mappers: they may call more fields secret. */
    lookAt(tenant: string): void {
      working = working.then(async () => {
        if (isClosed) return;
        await look(tenant).catch((error: unknown) => log.error({ tenant, error }, "Secrets could not be sealed"));
      });
    },
    async close(): Promise<void> {
      isClosed = true;
      await working;
    },
  };
}
