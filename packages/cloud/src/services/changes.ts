import { AppError, type FieldError, formatMicros, type Kind, type Micros } from "@penstock/model";
import type { Selectable } from "kysely";
import type { ChangeSetsTable } from "../state-schema.ts";
import type { Bulk, BulkChange } from "./bulk.ts";
import { type ChangeReason, lastVersions, type VersionRow } from "./change-sets.ts";
import { chunksOf } from "./chunks-of.ts";
import type { Caller, CheckingContext, Page } from "./context.ts";
import { cursorOf, textOfCursor } from "./cursor.ts";
import { documentOf } from "./history.ts";
import type { LineChange } from "./line-loads.ts";
import type { Prepared } from "./prepared-change.ts";
import { tenantOf } from "./tenant-check.ts";

export interface ChangeView {
  change: number;
  reason: ChangeReason;
  note: string | null;
  actor: string;
  at: string;
  resources: number;
  undoes: number | null;
  undoneBy: number | null;
}
export interface ChangeDetail extends ChangeView {
  changed: { kind: Kind; name: string; uid: string; action: "create" | "update" | "delete"; version: number }[];
}
type ChangedAction = Prepared["action"];
/** A whole document, as PUT takes it. */
type KindDocument = { readonly kind: Kind; readonly metadata: { readonly name: string } };
type Changed = { kind: Kind; name: string; action: ChangedAction };
interface ChangeRef {
  readonly tenant: string;
  readonly change: number;
}

/** What was changed at once in a tenant, and how to take it back. */
export function createChanges(context: CheckingContext, bulk: Bulk) {
  const { db, secrets } = context;

  async function views(tenant: string, sets: readonly Selectable<ChangeSetsTable>[]): Promise<ChangeView[]> {
    const numbers = sets.map(({ number }) => number);
    const undoing = await db
      .selectFrom("change_sets")
      .select(["number", "undoes"])
      .where("tenant_uid", "=", tenant)
      .where("undoes", "in", numbers.length === 0 ? [0] : numbers)
      .execute();
    const undoneBy = new Map(undoing.map(({ number, undoes }) => [undoes, number]));
    return sets.map(({ number, reason, note, actor, at, resources, undoes }) => ({
      ...{ change: number, note, actor, resources, undoes },
      // The services write no other.
      reason: reason as ChangeReason,
      at: formatMicros(at as Micros),
      undoneBy: undoneBy.get(number) ?? null,
    }));
  }
  async function find(caller: Caller, ref: ChangeRef) {
    const tenant = await tenantOf(db, caller, ref.tenant);
    const set = await db
      .selectFrom("change_sets")
      .selectAll()
      .where("tenant_uid", "=", tenant)
      .where("number", "=", ref.change)
      .executeTakeFirst();
    if (set === undefined) throw new AppError("resource/not-found", `Cannot find change ${ref.change}`);
    const versions = await db
      .selectFrom("resource_versions")
      .selectAll()
      .where("tenant_uid", "=", tenant)
      .where("change_set", "=", ref.change)
      .orderBy("kind")
      .orderBy("name")
      .execute();
    const view = (await views(tenant, [set]))[0]!;
    return { view, versions };
  }

  /** @throws AppError resource/changed-since naming every resource that is not as the change left it */
  async function mustBeAsLeft(view: ChangeView, versions: readonly VersionRow[]): Promise<void> {
    const last = await lastVersions(
      db,
      versions.map(({ uid }) => uid),
    );
    const moved = versions.filter(({ uid, version }) => last.get(uid) !== version);
    const fields = moved.slice(0, 20).map(({ kind, name, uid, version }): FieldError => {
      const value = `version ${last.get(uid)}`;
      return { field: `${kind} "${name}"`, value, rule: `must be at version ${version}, as the change left it` };
    });
    const head = `Cannot undo change ${view.change}`;
    if (view.undoneBy !== null && moved.length > 0) {
      throw new AppError("resource/changed-since", `${head}: change ${view.undoneBy} has undone it`, { fields });
    }
    if (moved.length > 0) {
      const named = fields.map(({ field }) => field).join(", ");
      const more = moved.length > fields.length ? ` and ${moved.length - fields.length} more` : "";
      throw new AppError("resource/changed-since", `${head}: changed since are ${named}${more}`, { fields });
    }
    // Versions of some are gone, by age or because a large resource kept but a few.
    if (versions.length < view.resources) {
      throw new AppError(
        "resource/changed-since",
        `${head}: ${view.resources - versions.length} of its ${view.resources} versions are no longer kept`,
      );
    }
  }

  /** What makes one resource again what it was before. */
  async function reverse(version: VersionRow): Promise<BulkChange> {
    const { name, action, uid } = version;
    const of = { kind: version.kind as Kind, name };
    const ifMatch = String(version.resource_version);
    if (action === "create") return { ...of, document: null, ifMatch };
    const before = await db
      .selectFrom("resource_versions")
      .selectAll()
      .where("uid", "=", uid)
      .where("version", "=", version.version - 1)
      .executeTakeFirst();
    if (before === undefined) {
      throw new AppError(
        "resource/changed-since",
        `Cannot undo: the version before of ${version.kind} "${name}" is gone`,
      );
    }
    const document = documentOf(before, secrets.open(before));
    return action === "delete" ? { ...of, document, create: true, revive: uid } : { ...of, document, ifMatch };
  }

  return {
    /**
     * What documents would change together and what that makes of the lines they touch, stored in no part. Each is created
     * or replaces what has its name.
     *
     * @throws AppError input/invalid naming every broken document, its fields after `changes[3].`, as storing them would
     */
    async preview(
      caller: Caller,
      tenantName: string,
      documents: readonly KindDocument[],
    ): Promise<{ results: Changed[]; lines: LineChange[] }> {
      const request = { changes: documents.map(changeOf), dryRun: true, reason: "edit" } as const;
      const { results, lines } = await bulk.applyMany(caller, tenantName, request);
      return { results: results.map(({ kind, name, action }) => ({ kind, name, action })), lines };
    },

    /**
     * Stores documents as one change set: two devices of them may trade places on their line.
     *
     * @throws AppError input/invalid as `preview`; nothing is stored then
     */
    async apply(
      caller: Caller,
      tenantName: string,
      documents: readonly KindDocument[],
    ): Promise<{ change: number | null; results: Changed[] }> {
      const request = { changes: documents.map(changeOf), dryRun: false, reason: "edit" } as const;
      const { id, results } = await bulk.applyMany(caller, tenantName, request);
      return {
        change: id === null ? null : Number(id),
        results: results.map(({ kind, name, action }) => ({ kind, name, action })),
      };
    },

    /** the newest first */
    async list(
      caller: Caller,
      tenantName: string,
      query: { readonly limit?: number; readonly cursor?: string },
    ): Promise<Page<ChangeView>> {
      const tenant = await tenantOf(db, caller, tenantName);
      const limit = query.limit ?? 100;
      let select = db
        .selectFrom("change_sets")
        .selectAll()
        .where("tenant_uid", "=", tenant)
        .orderBy("number", "desc")
        .limit(limit + 1);
      if (query.cursor !== undefined) select = select.where("number", "<", Number(textOfCursor(query.cursor)));
      const rows = await select.execute();
      const items = await views(tenant, rows.slice(0, limit));
      return { items, cursor: rows.length > limit ? cursorOf(String(items.at(-1)!.change)) : null };
    },

    async get(caller: Caller, ref: ChangeRef): Promise<ChangeDetail> {
      const { view, versions } = await find(caller, ref);
      const changed = versions.map(({ kind, name, uid, action, version }) => ({
        ...{ name, uid, version },
        // The services write no others.
        kind: kind as Kind,
        action: action as ChangeDetail["changed"][number]["action"],
      }));
      return { ...view, changed };
    },

    /**
     * Makes all that one change set touched what it was before, or nothing. What was created goes, what was deleted comes
     * back under its own uid. The undo is a change set too, and can be undone.
     *
     * @throws AppError resource/changed-since
     */
    async undo(
      caller: Caller,
      ref: ChangeRef,
      request: { readonly dryRun?: boolean | undefined },
    ): Promise<{ change: number | null; undoes: number; results: { kind: Kind; name: string; action: string }[] }> {
      const { view, versions } = await find(caller, ref);
      await mustBeAsLeft(view, versions);
      const changes: BulkChange[] = [];
      for (const chunk of chunksOf(versions, 50)) changes.push(...(await Promise.all(chunk.map(reverse))));
      const { id, results } = await bulk.applyMany(caller, ref.tenant, {
        ...{ changes, dryRun: request.dryRun === true, reason: "undo", undoes: ref.change },
        note: `change ${ref.change}`,
      });
      return {
        change: id === null ? null : Number(id),
        undoes: ref.change,
        results: results.map(({ kind, name, action }) => ({ kind, name, action })),
      };
    },
  };
}
export type Changes = ReturnType<typeof createChanges>;

/** Creates, or replaces what has the name. */
function changeOf(document: KindDocument): BulkChange {
  return { kind: document.kind, name: document.metadata.name, document };
}
