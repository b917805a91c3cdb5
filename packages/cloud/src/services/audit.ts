import type { Micros } from "@penstock/model";
import type { Trx } from "./context.ts";

/** One line of the audit log, in the transaction of the change itself: no change without its line. */
export async function audit(
  trx: Trx,
  entry: {
    readonly tenant: string;
    readonly at: Micros;
    readonly actor: string;
    readonly action: string;
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
    /** never a secret */
    readonly detail?: unknown;
  },
): Promise<void> {
  await trx
    .insertInto("audit")
    .values({
      tenant_uid: entry.tenant,
      at: entry.at,
      actor: entry.actor,
      action: entry.action,
      kind: entry.kind,
      name: entry.name,
      uid: entry.uid,
      detail: JSON.stringify(entry.detail ?? {}),
    })
    .execute();
}
