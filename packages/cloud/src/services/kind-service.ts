import { AppError, type Kind, type Resource } from "@penstock/model";
import type { Caller, CheckingContext, ListQuery, Page, Reader, Ref } from "./context.ts";
import { inTransaction } from "./in-transaction.ts";
import { type KindRules, type Prepared, prepareChange, type Wanted } from "./prepared-change.ts";
import { findRow, listRows, type Row, toResource } from "./resource-rows.ts";
import { storeChanges } from "./store-changes.ts";
import { notFound, tenantOf } from "./tenant-check.ts";

export interface KindOptions<K extends Kind, Spec, Status> extends KindRules<K, Spec> {
  readonly scope: "tenant" | "platform";
  status(tenant: string, rows: readonly Row[]): Promise<Status[]>;
}

/**
 * The five verbs of a kind. Every change is one transaction with its audit line and, in a tenant, its version and change
 * set; status is derived, never stored.
 */
export interface KindService<K extends Kind, Spec, Status> {
  get(caller: Caller, ref: Ref): Promise<Resource<K, Spec, Status>>;
  list(caller: Caller, tenant: string, query: ListQuery): Promise<Page<Resource<K, Spec, Status>>>;
  create(caller: Caller, ref: Ref, input: unknown, options?: Dry): Promise<Resource<K, Spec, Status>>;
  /** `replace` is a whole document, `patch` a merge patch; `ifMatch` an ETag or "*" */
  update(
    caller: Caller,
    ref: Ref,
    change: ({ replace: unknown } | { patch: unknown }) & { ifMatch: string } & Dry,
  ): Promise<Resource<K, Spec, Status>>;
  remove(caller: Caller, ref: Ref, ifMatch: string): Promise<void>;
  /** for changes of several resources at once */
  readonly parts: KindParts;
}
interface Dry {
  /** true: every check is made and what would be stored is answered; nothing is */
  readonly dryRun?: boolean | undefined;
}
export interface KindParts {
  prepare(wanted: Wanted): Prepared;
  view(tenantName: string, tenant: string, rows: readonly Row[]): Promise<Resource[]>;
}

export function createKindService<K extends Kind, Spec, Status>(
  context: CheckingContext,
  options: KindOptions<K, Spec, Status>,
): KindService<K, Spec, Status> {
  const { db, clock, random, secrets } = context;
  const { kind } = options;

  async function scopeOf(reader: Reader, caller: Caller, tenant: string): Promise<string> {
    return options.scope === "platform" ? "" : tenantOf(reader, caller, tenant);
  }
  async function view(tenantName: string, tenant: string, rows: readonly Row[]) {
    const statuses = await options.status(tenant, rows);
    return rows.map((row, i) => toResource<K, Spec, Status>(row, { kind, tenantName, status: statuses[i]! }));
  }
  const prepare = (wanted: Wanted) => prepareChange(options, wanted, { now: clock.now(), random, secrets });

  async function change(
    caller: Caller,
    ref: Ref,
    request: Pick<Wanted, "change" | "expects" | "ifMatch"> & Dry,
  ): Promise<{ tenant: string; row: Row }> {
    const tenant = await scopeOf(db, caller, ref.tenant);
    const { dryRun = false, ...wanted } = request;
    const { rows, after } = await inTransaction(db, dryRun, async (trx) => {
      const present = await findRow(trx, tenant, kind, ref.name);
      const at = { caller, tenant, tenantName: ref.tenant, name: ref.name, present };
      const set = {
        caller,
        tenant,
        now: clock.now(),
        reason: "edit",
        changes: [prepare({ ...at, ...wanted })],
      } as const;
      return storeChanges(trx, {
        ...set,
        failed(_, error) {
          throw error;
        },
      });
    });
    if (!dryRun) for (const run of after) run();
    return { tenant, row: rows[0]! };
  }
  async function changed(...request: Parameters<typeof change>) {
    const { tenant, row } = await change(...request);
    return (await view(request[1].tenant, tenant, [row]))[0]!;
  }

  return {
    async get(caller, ref) {
      const tenant = await scopeOf(db, caller, ref.tenant);
      const row = await findRow(db, tenant, kind, ref.name);
      if (row === undefined) throw notFound(kind, ref.name);
      return (await view(ref.tenant, tenant, [row]))[0]!;
    },

    async list(caller, tenantName, query) {
      const tenant = await scopeOf(db, caller, tenantName);
      const { rows, cursor } = await listRows(db, tenant, kind, query);
      return { items: await view(tenantName, tenant, rows), cursor };
    },

    create: (caller, ref, input, dry) =>
      changed(caller, ref, { change: { document: input }, expects: "absent", dryRun: dry?.dryRun }),

    update(caller, ref, request) {
      const { ifMatch, dryRun } = request;
      const change = "patch" in request ? { patch: request.patch } : { document: request.replace };
      return changed(caller, ref, { change, expects: "present", ifMatch, dryRun });
    },

    async remove(caller, ref, ifMatch) {
      await change(caller, ref, { change: null, expects: "present", ifMatch });
    },

    parts: { prepare, view },
  };
}

/** What refers to a resource, in one error that names up to five. */
export function inUse(kind: Kind, name: string, users: readonly Pick<Row, "kind" | "name">[]): AppError {
  const named = users.slice(0, 5).map((user) => `${user.kind} "${user.name}"`);
  const more = users.length > 5 ? ` and ${users.length - 5} more` : "";
  return new AppError("resource/in-use", `Cannot delete ${kind} "${name}": used by ${named.join(", ")}${more}`);
}
