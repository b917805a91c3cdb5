import { AppError, type FieldError, invalid, type Kind, limits, type Resource } from "@penstock/model";
import type { ChangeReason } from "./change-sets.ts";
import { chunksOf } from "./chunks-of.ts";
import type { Caller, Reader, ServiceContext } from "./context.ts";
import { inTransaction } from "./in-transaction.ts";
import type { KindParts } from "./kind-service.ts";
import type { LineChange, LineLoads } from "./line-loads.ts";
import { type AfterCommit, nameTaken, type Prepared, type Wanted } from "./prepared-change.ts";
import { findRows, type Row, specOf } from "./resource-rows.ts";
import { rowDocument } from "./row-document.ts";
import { storeChanges } from "./store-changes.ts";
import { notFound, tenantOf } from "./tenant-check.ts";

export interface BulkChange {
  readonly kind: Kind;
  readonly name: string;
  /** a whole document creates or replaces, a merge patch changes; neither deletes */
  readonly document?: unknown;
  readonly patch?: unknown;
  /** an ETag; without one whatever is there is changed */
  readonly ifMatch?: string | undefined;
  /** true: refuse to replace */
  readonly create?: boolean;
  /** the deleted resource that comes back with `document` under its own uid */
  readonly revive?: string;
}
export interface BulkRequest {
  readonly changes: readonly BulkChange[];
  readonly dryRun: boolean;
  readonly reason: ChangeReason;
  readonly note?: string | undefined;
  /** number of the change set that this one reverses */
  readonly undoes?: number;
}
export interface BulkResult {
  /** number of the change set, as text; null when nothing changed and after a dry run */
  readonly id: string | null;
  /** in the order of the changes */
  readonly results: readonly {
    readonly kind: Kind;
    readonly name: string;
    readonly action: Prepared["action"];
    /** as stored, or as it would be; left out when it is deleted */
    readonly resource?: Resource;
    /** the document that was there; left out when there was none */
    readonly before?: unknown;
  }[];
  /** what a dry run would make of the lines it touches; [] when it was done */
  readonly lines: LineChange[];
}

/**
 * Changes of many resources of a tenant as one: all or nothing, undone as one. Each is checked as if it came alone, against
 * what is there once all of them are made. A thousand devices take a few seconds, in which other changes wait.
 */
export function createBulk(
  context: ServiceContext,
  parts: { readonly kinds: Partial<Record<Kind, KindParts>>; readonly loads: LineLoads },
) {
  const { kinds, loads } = parts;
  const { db, clock } = context;

  return {
    /**
     * @throws AppError input/invalid naming every broken change, its fields after `changes[3].`; request/precondition-failed
     *   when all that is wrong is that what was to be changed has changed
     */
    async applyMany(caller: Caller, tenantName: string, request: BulkRequest): Promise<BulkResult> {
      const tenant = await tenantOf(db, caller, tenantName);
      const { changes, dryRun, reason, note, undoes } = request;
      const most = limits.changesPerRequest;
      if (changes.length > most) {
        throw invalid([{ field: "changes", value: `${changes.length} changes`, rule: `must be at most ${most}` }]);
      }
      const failures: { readonly index: number; readonly error: AppError }[] = [];
      const failed = (index: number, error: AppError) => void failures.push({ index, error });
      const done = await inTransaction(db, dryRun, async (trx) => {
        const present = await rowsNamed(trx, tenant, changes);
        const revived = await rowsOf(trx, tenant, changes);
        const seen = new Set<string>();
        const prepared: (Prepared | null)[] = changes.map((change, index) => {
          const { kind, name } = change;
          try {
            const parts = kinds[kind];
            if (parts === undefined) throw new AppError("input/unknown-kind", `Cannot change a ${kind} with others`);
            const key = `${kind} ${name}`;
            if (seen.has(key)) throw nameTaken(`${kind} "${name}" stands twice`, name, "stands in it twice");
            seen.add(key);
            const wanted = { caller, tenant, tenantName, name, ifMatch: change.ifMatch, present: present.get(key) };
            return parts.prepare({ ...wanted, ...wishOf(change), revived: revivedOf(change, revived) });
          } catch (error) {
            if (!(error instanceof AppError)) throw error;
            failed(index, error);
            return null;
          }
        });
        const sound = [...prepared.entries()].flatMap(([index, one]) => (one === null ? [] : [{ index, one }]));
        const stored = await storeChanges(trx, {
          ...{ caller, tenant, now: clock.now(), reason, note, undoes },
          changes: sound.map(({ one }) => one),
          failed: (i, error) => failed(sound[i]!.index, error),
        });
        if (failures.length > 0) throw refusal(failures, changes);
        return { ...stored, prepared: sound.map(({ one }) => one) };
      });
      if (!dryRun) runAll(done.after);
      const resources = await views(tenantName, tenant, done);
      const results = done.prepared.map(({ kind, action, before }, i) => {
        const resource = resources.get(i);
        return {
          ...{ kind, name: done.rows[i]!.name, action },
          ...(resource !== undefined && { resource }),
          ...(before !== null && { before: rowDocument(before, specOf(before)) }),
        };
      });
      const changed = done.prepared.map(({ before }, i) => ({ before, row: done.rows[i]! }));
      const lines = dryRun ? await loads.compare(tenant, changed) : [];
      return { id: dryRun || done.change === null ? null : String(done.change), results, lines };
    },
  };

  async function views(
    tenantName: string,
    tenant: string,
    done: { readonly prepared: readonly Prepared[]; readonly rows: readonly Row[] },
  ): Promise<Map<number, Resource>> {
    const found = new Map<number, Resource>();
    const kept = [...done.prepared.entries()].filter(([, { action }]) => action !== "delete");
    for (const [kind, entries] of Map.groupBy(kept, ([, one]) => one.kind)) {
      const rows = entries.map(([i]) => done.rows[i]!);
      const resources = await kinds[kind]!.view(tenantName, tenant, rows);
      for (const [at, [i]] of entries.entries()) found.set(i, resources[at]!);
    }
    return found;
  }
}
export type Bulk = ReturnType<typeof createBulk>;

function wishOf(change: BulkChange): Pick<Wanted, "change" | "expects"> {
  if (change.document !== undefined && change.document !== null) {
    return { change: { document: change.document }, expects: change.create === true ? "absent" : "any" };
  }
  const isPatch = change.patch !== undefined && change.patch !== null;
  return { change: isPatch ? { patch: change.patch } : null, expects: "present" };
}

async function rowsNamed(db: Reader, tenant: string, changes: readonly BulkChange[]): Promise<Map<string, Row>> {
  const found = new Map<string, Row>();
  for (const [kind, of] of Map.groupBy(changes, ({ kind }) => kind)) {
    const names = of.map(({ name }) => name);
    for (const row of await findRows(db, tenant, kind, names)) found.set(`${kind} ${row.name}`, row);
  }
  return found;
}

/** Rows of deleted resources that come back. */
async function rowsOf(db: Reader, tenant: string, changes: readonly BulkChange[]): Promise<Map<string, Row>> {
  const found = new Map<string, Row>();
  for (const uids of chunksOf(changes.flatMap(({ revive }) => revive ?? []))) {
    const rows = await db
      .selectFrom("resources")
      .selectAll()
      .where("tenant_uid", "=", tenant)
      .where("uid", "in", uids)
      .where("deleted_at", "is not", null)
      .execute();
    for (const row of rows) found.set(row.uid, row);
  }
  return found;
}

function revivedOf({ kind, name, revive }: BulkChange, rows: ReadonlyMap<string, Row>): Row | undefined {
  if (revive === undefined) return undefined;
  const row = rows.get(revive);
  if (row === undefined || row.kind !== kind || row.name !== name) throw notFound(kind, name);
  return row;
}

/** Everything that is wrong, in the order of the changes. */
function refusal(
  failures: readonly { readonly index: number; readonly error: AppError }[],
  changes: readonly BulkChange[],
): AppError {
  const fields = [...failures]
    .sort((a, b) => a.index - b.index)
    .flatMap(({ index, error }): FieldError[] => {
      const at = `changes[${index}]`;
      const { kind, name } = changes[index]!;
      if (error.fields.length === 0) return [{ field: at, value: `${kind} "${name}"`, rule: error.message }];
      return error.fields.map((one) => ({ ...one, field: `${at}.${one.field}` }));
    })
    .slice(0, limits.fieldsPerRefusal);
  const all = invalid(fields);
  const isStale = failures.every(({ error }) => error.code === "request/precondition-failed");
  return isStale ? new AppError("request/precondition-failed", all.message, { fields }) : all;
}

/** One node hears once of a change that touches a thousand of its devices: its link gathers what comes in one turn. */
function runAll(after: readonly AfterCommit[]): void {
  for (const run of after) run();
}
