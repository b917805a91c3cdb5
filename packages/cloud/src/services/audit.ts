import type { Micros } from "@penstock/model";
import type { Trx } from "./context.ts";

export interface AuditEntry {
  readonly tenant: string;
  readonly at: Micros;
  readonly actor: string;
  readonly action: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** never a secret */
  readonly detail?: unknown;
}

/** One line of the audit log, in the transaction of the change itself: no change without its line. */
export async function audit(trx: Trx, entry: AuditEntry): Promise<void> {
  await auditAll(trx, [entry]);
}

/** As `audit`, for up to 1,000 lines at once. */
export async function auditAll(trx: Trx, entries: readonly AuditEntry[]): Promise<void> {
  await trx
    .insertInto("audit")
    .values(
      entries.map(({ tenant, detail = {}, ...entry }) => ({
        ...entry,
        tenant_uid: tenant,
        detail: JSON.stringify(detail),
      })),
    )
    .execute();
}
