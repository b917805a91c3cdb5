import { checkShape, type ResourceSpec, type RouteSpec } from "@penstock/api";
import {
  AppError,
  type FieldError,
  hexId,
  invalid,
  type Kind,
  type MetadataInput,
  type Resource,
  type ResourceUid,
  stringifyExact,
} from "@penstock/model";
import { audit } from "./audit.ts";
import type { Caller, ListQuery, Page, Reader, Ref, ServiceContext, Trx } from "./context.ts";
import { nextNumber } from "./counters.ts";
import { canonical, mergePatch } from "./json.ts";
import { findRow, listRows, type Row, specOf, toResource } from "./resource-rows.ts";
import { notFound, tenantOf } from "./tenant-check.ts";

/** A change as it is about to be stored. `before` is null at creation. */
export interface Change<Spec> {
  readonly trx: Trx;
  readonly caller: Caller;
  readonly tenant: string;
  readonly name: string;
  readonly uid: string;
  readonly spec: Spec;
  readonly before: Spec | null;
}
export interface Removal<Spec> {
  readonly trx: Trx;
  readonly caller: Caller;
  readonly tenant: string;
  readonly row: Row;
  readonly spec: Spec;
}
/** Runs after the transaction has committed. */
export type AfterCommit = () => void;

export interface KindOptions<K extends Kind, Spec, Status> {
  readonly kind: K;
  /** the kind's contract: its PUT body is what input is checked against */
  readonly contract: ResourceSpec & { readonly routes: { readonly put: RouteSpec } };
  readonly scope: "tenant" | "platform";
  status(tenant: string, rows: readonly Row[]): Promise<Status[]>;
  /** what the schema cannot say: references, bounds, uniqueness. Throws an AppError; changes nothing */
  check?(change: Change<Spec>): Promise<void>;
  /** the spec as it is kept; secrets leave here */
  kept?(spec: Spec): Spec;
  /** further rows of the same change */
  changed?(change: Change<Spec>): Promise<AfterCommit | undefined>;
  /** throws resource/in-use naming who uses it */
  removing?(removal: Removal<Spec>): Promise<AfterCommit | undefined>;
}

/** The five verbs of a kind. Every change is one transaction with its audit line; status is derived, never stored. */
export interface KindService<K extends Kind, Spec, Status> {
  get(caller: Caller, ref: Ref): Promise<Resource<K, Spec, Status>>;
  list(caller: Caller, tenant: string, query: ListQuery): Promise<Page<Resource<K, Spec, Status>>>;
  create(caller: Caller, ref: Ref, input: unknown): Promise<Resource<K, Spec, Status>>;
  /** `replace` is a whole document, `patch` a merge patch; `ifMatch` an ETag or "*" */
  update(
    caller: Caller,
    ref: Ref,
    change: ({ replace: unknown } | { patch: unknown }) & { ifMatch: string },
  ): Promise<Resource<K, Spec, Status>>;
  remove(caller: Caller, ref: Ref, ifMatch: string): Promise<void>;
}

interface Document<Spec> {
  readonly metadata: MetadataInput;
  readonly spec: Spec;
}

export function createKindService<K extends Kind, Spec, Status>(
  context: ServiceContext,
  options: KindOptions<K, Spec, Status>,
): KindService<K, Spec, Status> {
  const { db, clock, random } = context;
  const { kind } = options;
  const kept = (spec: Spec) => (options.kept === undefined ? spec : options.kept(spec));

  async function scopeOf(reader: Reader, caller: Caller, tenant: string): Promise<string> {
    return options.scope === "platform" ? "" : tenantOf(reader, caller, tenant);
  }
  async function view(ref: Pick<Ref, "tenant">, tenant: string, rows: readonly Row[]) {
    const statuses = await options.status(tenant, rows);
    return rows.map((row, i) =>
      toResource<K, Spec, Status>(row, { kind, tenantName: ref.tenant, status: statuses[i]! }),
    );
  }

  function checkDocument(ref: Ref, input: unknown): Document<Spec> {
    const fields: FieldError[] = checkShape(options.contract.routes.put.body, input);
    if (fields.length > 0) throw invalid(fields);
    // checkShape has just said that it is one.
    const document = input as Document<Spec>;
    for (const key of ["name", "tenant"] as const) {
      const given = document.metadata[key];
      if (given !== undefined && given !== ref[key]) {
        fields.push({ field: `metadata.${key}`, value: given, rule: `must be "${ref[key]}", as in the address` });
      }
    }
    if (fields.length > 0) throw invalid(fields);
    return document;
  }

  function requireMatch(row: Row, ifMatch: string): void {
    if (ifMatch === "*" || ifMatch === String(row.resource_version)) return;
    throw new AppError(
      "request/precondition-failed",
      `Cannot change ${kind} "${row.name}": it is at version ${row.resource_version}, If-Match says ${ifMatch}`,
    );
  }

  return {
    async get(caller, ref) {
      const tenant = await scopeOf(db, caller, ref.tenant);
      const row = await findRow(db, tenant, kind, ref.name);
      if (row === undefined) throw notFound(kind, ref.name);
      return (await view(ref, tenant, [row]))[0]!;
    },

    async list(caller, tenantName, query) {
      const tenant = await scopeOf(db, caller, tenantName);
      const { rows, cursor } = await listRows(db, tenant, kind, query);
      return { items: await view({ tenant: tenantName }, tenant, rows), cursor };
    },

    async create(caller, ref, input) {
      const tenant = await scopeOf(db, caller, ref.tenant);
      const document = checkDocument(ref, input);
      const { row, after } = await db.transaction().execute(async (trx) => {
        if ((await findRow(trx, tenant, kind, ref.name)) !== undefined) {
          throw new AppError("resource/name-taken", `Cannot create ${kind} "${ref.name}": the name is taken`);
        }
        const uid = hexId<ResourceUid>(random.bytes(16));
        const change = { trx, caller, tenant, name: ref.name, uid, spec: document.spec, before: null };
        await options.check?.(change);
        const now = clock.now();
        const row = await trx
          .insertInto("resources")
          .values({
            uid,
            tenant_uid: tenant,
            kind,
            name: ref.name,
            display_name: document.metadata.displayName ?? null,
            labels: JSON.stringify(document.metadata.labels ?? {}),
            spec: stringifyExact(kept(document.spec)),
            generation: 1,
            resource_version: await nextNumber(trx, "resource_version"),
            created_at: now,
            updated_at: now,
            deleted_at: null,
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        const after = await options.changed?.(change);
        await audit(trx, { tenant, at: now, actor: caller.uid, action: "create", kind, name: ref.name, uid });
        return { row, after };
      });
      after?.();
      return (await view(ref, tenant, [row]))[0]!;
    },

    async update(caller, ref, request) {
      const tenant = await scopeOf(db, caller, ref.tenant);
      const { row, after } = await db.transaction().execute(async (trx) => {
        const before = await findRow(trx, tenant, kind, ref.name);
        if (before === undefined) throw notFound(kind, ref.name);
        requireMatch(before, request.ifMatch);
        const document = checkDocument(ref, "patch" in request ? patched(before, request.patch) : request.replace);
        const spec = kept(document.spec);
        const oldSpec = specOf<Spec>(before);
        const isSameSpec = canonical(spec) === canonical(oldSpec) && canonical(document.spec) === canonical(spec);
        const labels = document.metadata.labels ?? {};
        const displayName = document.metadata.displayName ?? null;
        if (
          isSameSpec &&
          canonical(labels) === canonical(JSON.parse(before.labels)) &&
          displayName === before.display_name
        ) {
          return { row: before, after: undefined };
        }
        const change = { trx, caller, tenant, name: ref.name, uid: before.uid, spec: document.spec, before: oldSpec };
        if (!isSameSpec) await options.check?.(change);
        const now = clock.now();
        const row = await trx
          .updateTable("resources")
          .set({
            display_name: displayName,
            labels: JSON.stringify(labels),
            spec: stringifyExact(spec),
            generation: before.generation + (isSameSpec ? 0 : 1),
            resource_version: await nextNumber(trx, "resource_version"),
            updated_at: now,
          })
          .where("uid", "=", before.uid)
          .returningAll()
          .executeTakeFirstOrThrow();
        const after = isSameSpec ? undefined : await options.changed?.(change);
        const detail = { generation: row.generation };
        await audit(trx, {
          tenant,
          at: now,
          actor: caller.uid,
          action: "update",
          kind,
          name: ref.name,
          uid: row.uid,
          detail,
        });
        return { row, after };
      });
      after?.();
      return (await view(ref, tenant, [row]))[0]!;
    },

    async remove(caller, ref, ifMatch) {
      const tenant = await scopeOf(db, caller, ref.tenant);
      const after = await db.transaction().execute(async (trx) => {
        const row = await findRow(trx, tenant, kind, ref.name);
        if (row === undefined) throw notFound(kind, ref.name);
        requireMatch(row, ifMatch);
        const after = await options.removing?.({ trx, caller, tenant, row, spec: specOf<Spec>(row) });
        const now = clock.now();
        await trx
          .updateTable("resources")
          .set({ deleted_at: now, updated_at: now, resource_version: await nextNumber(trx, "resource_version") })
          .where("uid", "=", row.uid)
          .execute();
        await audit(trx, { tenant, at: now, actor: caller.uid, action: "delete", kind, name: ref.name, uid: row.uid });
        return after;
      });
      after?.();
    },
  };
}

/** The document that a merge patch makes of the stored one. */
function patched(row: Row, patch: unknown): unknown {
  const now = {
    metadata: {
      name: row.name,
      ...(row.display_name === null ? {} : { displayName: row.display_name }),
      labels: JSON.parse(row.labels) as unknown,
    },
    spec: specOf<unknown>(row),
  };
  return mergePatch(now, patch);
}

/** What refers to a resource, in one error that names up to five. */
export function inUse(kind: Kind, name: string, users: readonly Pick<Row, "kind" | "name">[]): AppError {
  const named = users.slice(0, 5).map((user) => `${user.kind} "${user.name}"`);
  const more = users.length > 5 ? ` and ${users.length - 5} more` : "";
  return new AppError("resource/in-use", `Cannot delete ${kind} "${name}": used by ${named.join(", ")}${more}`);
}
