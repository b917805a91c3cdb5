import { AppError, kinds } from "@penstock/model";
import { type AuditEntry, auditAll } from "./audit.ts";
import { type ChangeSetOrigin, recordChangeSet } from "./change-sets.ts";
import { chunksOf } from "./chunks-of.ts";
import type { Trx } from "./context.ts";
import { nextNumbers } from "./counters.ts";
import type { AfterCommit, Prepared } from "./prepared-change.ts";
import type { Row } from "./resource-rows.ts";

export interface StoredChanges {
  /** as stored, in the order of the changes */
  readonly rows: readonly Row[];
  /** number of the change set; null when nothing changed, and for platform kinds */
  readonly change: number | null;
  readonly after: readonly AfterCommit[];
}

/**
 * Stores prepared changes as one: all rows first, then every check, so that two devices may trade places and a device may
 * come together with its connection; then what follows from each, the history and the audit log. Nothing is kept unless the
 * transaction commits, so what fails half way leaves nothing behind.
 *
 * @param set.failed  told of every change that is refused; throws at the latest when the transaction would commit
 */
export async function storeChanges(
  trx: Trx,
  set: ChangeSetOrigin & {
    readonly changes: readonly Prepared[];
    failed(index: number, error: AppError): void;
  },
): Promise<StoredChanges> {
  const rows = await writeRows(trx, set.changes);
  const after: AfterCommit[] = [];
  let isFailed = false;
  const attempt = async (index: number, run: () => Promise<AfterCommit | undefined>) => {
    try {
      const done = await run();
      if (done !== undefined) after.push(done);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      isFailed = true;
      set.failed(index, error);
    }
  };
  const order = [...set.changes.entries()].sort(([, a], [, b]) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  const removals = order.filter(([, { action }]) => action === "delete").reverse();
  const others = order.filter(([, { action }]) => action === "create" || action === "update");
  // A device that goes makes room for one that comes; what devices refer to goes after they were checked.
  const isDevice = ([, { kind }]: (typeof order)[number]) => kind === "Device";
  for (const [i, one] of removals.filter(isDevice)) await attempt(i, () => one.settle(trx));
  for (const [i, one] of others) await attempt(i, async () => void (await one.check(trx)));
  for (const [i, one] of removals.filter((entry) => !isDevice(entry))) await attempt(i, () => one.settle(trx));
  if (isFailed) return { rows, change: null, after };
  for (const [i, one] of others) await attempt(i, () => one.settle(trx));

  const stored = set.changes
    .map((one, i) => ({ ...one, row: rows[i]! }))
    .filter(({ action }) => action !== "unchanged");
  if (isFailed || stored.length === 0) return { rows, change: null, after };
  const change = set.tenant === "" ? null : await recordChangeSet(trx, { ...set, stored });
  const entries = stored.map(({ action, kind, row }): AuditEntry => {
    const detail = { ...(action === "update" && { generation: row.generation }), ...(change !== null && { change }) };
    const { caller, tenant, now } = set;
    return { tenant, at: now, actor: caller.uid, action, kind, name: row.name, uid: row.uid, detail };
  });
  await auditAll(trx, entries);
  return { rows, change, after };
}

/** What goes frees its name before what comes takes it. */
async function writeRows(trx: Trx, changes: readonly Prepared[]): Promise<Row[]> {
  const changed = changes.filter(({ action }) => action !== "unchanged").length;
  let version = changed === 0 ? 0 : await nextNumbers(trx, "resource_version", changed);
  const rows = changes.map(({ action, row }) =>
    action === "unchanged" ? row : { ...row, resource_version: version++ },
  );
  const inserted: Row[] = [];
  const update = async (row: Row) => {
    const { uid, display_name, labels, spec, generation, resource_version, updated_at, deleted_at } = row;
    const values = { display_name, labels, spec, generation, resource_version, updated_at, deleted_at };
    await trx.updateTable("resources").set(values).where("uid", "=", uid).execute();
  };
  for (const [i, one] of changes.entries()) if (one.action === "delete") await update(rows[i]!);
  for (const [i, one] of changes.entries()) {
    if (one.action === "update" || one.isRevived) await update(rows[i]!);
    else if (one.action === "create") inserted.push(rows[i]!);
  }
  for (const chunk of chunksOf(inserted)) await trx.insertInto("resources").values(chunk).execute();
  return rows;
}
