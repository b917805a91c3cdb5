import { AppError, diffDocuments, type FieldChange, formatMicros, type Kind, type Micros } from "@penstock/model";
import type { Bulk } from "./bulk.ts";
import type { VersionRow } from "./change-sets.ts";
import type { Caller, CheckingContext, Page, Reader, Ref } from "./context.ts";
import { cursorOf, textOfCursor } from "./cursor.ts";
import { findRow, type Row, specOf } from "./resource-rows.ts";
import { hidden } from "./sealed-texts.ts";
import { notFound, tenantOf } from "./tenant-check.ts";

/** A resource of a tenant by name: the live one, else the one deleted last; or a deleted one by its uid. */
export interface HistoryRef extends Ref {
  readonly kind: Kind;
  readonly uid?: string | undefined;
}
export interface VersionView {
  version: number;
  uid: string;
  action: "create" | "update" | "delete";
  generation: number;
  change: number | null;
  actor: string;
  at: string;
}
export interface VersionDocument extends VersionView {
  metadata: { name: string; displayName?: string; labels: Record<string, string> };
  spec: unknown;
}
interface PageQuery {
  readonly limit?: number;
  readonly cursor?: string;
}

/** Every stored state of a tenant's resources: read, compared, and brought back. */
export function createHistory(context: CheckingContext, bulk: Bulk) {
  const { db, secrets } = context;

  async function find(caller: Caller, ref: HistoryRef): Promise<Row> {
    const tenant = await tenantOf(db, caller, ref.tenant);
    const row = ref.uid === undefined ? await findRow(db, tenant, ref.kind, ref.name) : undefined;
    const found = row ?? (await deletedRow(db, tenant, ref));
    if (found === undefined) throw notFound(ref.kind, ref.name);
    return found;
  }
  async function versionOf(row: Row, version: number): Promise<VersionRow> {
    const found = await db
      .selectFrom("resource_versions")
      .selectAll()
      .where("uid", "=", row.uid)
      .where("version", "=", version)
      .executeTakeFirst();
    if (found === undefined) {
      throw new AppError("resource/not-found", `Cannot find version ${version} of ${row.kind} "${row.name}"`);
    }
    return found;
  }
  async function lastOf(row: Row): Promise<number> {
    const { last } = await db
      .selectFrom("resource_versions")
      .select(db.fn.max("version").as("last"))
      .where("uid", "=", row.uid)
      .executeTakeFirstOrThrow();
    return Number(last ?? 0);
  }

  return {
    /** the newest first */
    async versions(caller: Caller, ref: HistoryRef, query: PageQuery): Promise<Page<VersionView>> {
      const row = await find(caller, ref);
      const limit = query.limit ?? 100;
      let select = db
        .selectFrom("resource_versions")
        .select(["version", "uid", "action", "generation", "change_set", "actor", "at"])
        .where("uid", "=", row.uid)
        .orderBy("version", "desc")
        .limit(limit + 1);
      if (query.cursor !== undefined) select = select.where("version", "<", Number(textOfCursor(query.cursor)));
      const rows = await select.execute();
      const items = rows.slice(0, limit).map(versionView);
      return { items, cursor: rows.length > limit ? cursorOf(String(items.at(-1)!.version)) : null };
    },

    async version(caller: Caller, ref: HistoryRef, version: number): Promise<VersionDocument> {
      const found = await versionOf(await find(caller, ref), version);
      return { ...versionView(found), ...documentOf(found, specOf(found)) };
    },

    /** @param of.to  the newest unless given; `from` the one before it */
    async diff(
      caller: Caller,
      ref: HistoryRef,
      of: { readonly from?: number | undefined; readonly to?: number | undefined },
    ): Promise<{ from: number; to: number; changes: FieldChange[] }> {
      const row = await find(caller, ref);
      const to = of.to ?? (await lastOf(row));
      const from = of.from ?? Math.max(1, to - 1);
      const [a, b] = [await versionOf(row, from), await versionOf(row, to)];
      const [before, after] = secrets.comparable([a, b]);
      return { from, to, changes: hidden(diffDocuments(documentOf(a, before), documentOf(b, after))) };
    },

    /**
     * What was becomes what is, as a new version, checked like any change. A deleted resource comes back under its own uid,
     * so that its readings are its own again.
     *
     * @throws AppError resource/name-taken when another one has the name of a deleted one
     */
    async restore(
      caller: Caller,
      ref: HistoryRef,
      request: { readonly version: number; readonly ifMatch: string; readonly dryRun?: boolean | undefined },
    ) {
      const row = await find(caller, ref);
      const { version, ifMatch, dryRun = false } = request;
      const found = await versionOf(row, version);
      const document = documentOf(found, secrets.open(found));
      const { kind, name } = ref;
      const how = row.deleted_at === null ? { ifMatch } : { revive: row.uid, create: true };
      const { results } = await bulk.applyMany(caller, ref.tenant, {
        changes: [{ kind, name, document, ...how }],
        dryRun,
        reason: "restore",
        note: `version ${version} of ${kind} "${name}"`,
      });
      return results[0]!.resource!;
    },

    /** deleted resources of a kind whose versions are still there, the last deleted first */
    async deleted(caller: Caller, of: { readonly tenant: string; readonly kind: Kind }, query: PageQuery) {
      const tenant = await tenantOf(db, caller, of.tenant);
      const limit = query.limit ?? 100;
      let select = db
        .selectFrom("resource_versions")
        .innerJoin("resources", "resources.uid", "resource_versions.uid")
        .select(["resources.name", "resources.uid", "resource_versions.version", "resource_versions.actor"])
        .select(["resources.deleted_at", "resource_versions.at", "resource_versions.change_set"])
        .where("resource_versions.tenant_uid", "=", tenant)
        .where("resource_versions.kind", "=", of.kind)
        .where("resource_versions.action", "=", "delete")
        .whereRef("resource_versions.resource_version", "=", "resources.resource_version")
        .where("resources.deleted_at", "is not", null)
        .orderBy("resources.resource_version", "desc")
        .select("resources.resource_version")
        .limit(limit + 1);
      if (query.cursor !== undefined) {
        select = select.where("resources.resource_version", "<", Number(textOfCursor(query.cursor)));
      }
      const rows = await select.execute();
      const items = rows.slice(0, limit).map(({ name, uid, version, actor, at, change_set }) => ({
        ...{ name, uid, version, actor, deletedAt: formatMicros(at as Micros) },
        change: change_set === 0 ? null : change_set,
      }));
      const last = rows[limit - 1];
      return { items, cursor: rows.length > limit ? cursorOf(String(last!.resource_version)) : null };
    },
  };
}
export type History = ReturnType<typeof createHistory>;

async function deletedRow(db: Reader, tenant: string, ref: HistoryRef): Promise<Row | undefined> {
  let select = db
    .selectFrom("resources")
    .selectAll()
    .where("tenant_uid", "=", tenant)
    .where("kind", "=", ref.kind)
    .where("name", "=", ref.name)
    .orderBy("resource_version", "desc");
  select = ref.uid === undefined ? select.where("deleted_at", "is not", null) : select.where("uid", "=", ref.uid);
  return select.executeTakeFirst();
}

function versionView(
  row: Pick<VersionRow, "version" | "uid" | "action" | "generation" | "change_set" | "actor" | "at">,
): VersionView {
  const { version, uid, action, generation, change_set, actor, at } = row;
  return {
    ...{ version, uid, generation, actor, at: formatMicros(at as Micros) },
    // The services write no other.
    action: action as VersionView["action"],
    change: change_set === 0 ? null : change_set,
  };
}

export function documentOf(row: Pick<VersionRow, "name" | "display_name" | "labels">, spec: unknown) {
  return {
    metadata: {
      name: row.name,
      ...(row.display_name === null ? {} : { displayName: row.display_name }),
      labels: JSON.parse(row.labels) as Record<string, string>,
    },
    spec,
  };
}
