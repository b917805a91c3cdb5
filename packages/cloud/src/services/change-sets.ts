import { limits, type Micros } from "@penstock/model";
import type { Selectable } from "kysely";
import type { ResourceVersionsTable } from "../state-schema.ts";
import { chunksOf } from "./chunks-of.ts";
import type { Caller, Reader, Trx } from "./context.ts";
import { nextNumber } from "./counters.ts";
import type { Prepared } from "./prepared-change.ts";

export type VersionRow = Selectable<ResourceVersionsTable>;
const changeReasons = ["edit", "copy", "import", "restore", "undo"] as const;
export type ChangeReason = (typeof changeReasons)[number];

/** Who changes what of whom, and why. */
export interface ChangeSetOrigin {
  readonly caller: Caller;
  /** uid; "" for platform kinds, which have no change sets */
  readonly tenant: string;
  readonly now: Micros;
  readonly reason: ChangeReason;
  readonly note?: string | undefined;
  /** number of the change set that this one reverses */
  readonly undoes?: number | undefined;
}

/** How many change sets may be past the bound before they are cleared away. */
const sweepEvery = 100;

/**
 * Keeps what was just stored as one change set, with the new version of each resource, in the transaction of the change.
 *
 * @returns its number, from 1 in each tenant
 */
export async function recordChangeSet(
  trx: Trx,
  set: ChangeSetOrigin & { readonly stored: readonly Pick<Prepared, "action" | "before" | "isRevived" | "row">[] },
): Promise<number> {
  const { caller, tenant, now, reason, note = null, undoes = null, stored } = set;
  const number = await nextNumber(trx, `change_set ${tenant}`);
  const of = { tenant_uid: tenant, actor: caller.name, at: now };
  await trx
    .insertInto("change_sets")
    .values({ ...of, number, reason, note, resources: stored.length, undoes })
    .execute();

  const known = stored.filter(({ before, isRevived }) => before !== null || isRevived).map(({ row }) => row.uid);
  const last = await lastVersions(trx, known);
  const versions = stored.map(({ action, row }): VersionRow => {
    const { uid, kind, name, generation, resource_version, display_name, labels, spec } = row;
    const version = (last.get(uid) ?? 0) + 1;
    return {
      ...{ ...of, uid, version, kind, name, action, generation, resource_version },
      ...{ display_name, labels, spec, change_set: number },
    };
  });
  for (const chunk of chunksOf(versions)) await trx.insertInto("resource_versions").values(chunk).execute();
  for (const version of versions) await dropOldest(trx, version);
  if (number % sweepEvery === 0) await sweep(trx, { tenant, number, now });
  return number;
}

/** The number of the newest version of each. */
export async function lastVersions(trx: Reader, uids: readonly string[]): Promise<Map<string, number>> {
  const last = new Map<string, number>();
  for (const chunk of chunksOf(uids)) {
    const rows = await trx
      .selectFrom("resource_versions")
      .select(["uid", trx.fn.max("version").as("version")])
      .where("uid", "in", chunk)
      .groupBy("uid")
      .execute();
    for (const { uid, version } of rows) last.set(uid, Number(version));
  }
  return last;
}

/** By count, and by bytes where a resource is large; the last two stay. */
async function dropOldest(trx: Trx, { uid, version, spec }: VersionRow): Promise<void> {
  const mayBeLarge = spec.length * limits.versionsPerResource > limits.versionBytesPerResource;
  let below = version - limits.versionsPerResource;
  if (mayBeLarge) {
    const kept = await trx
      .selectFrom("resource_versions")
      .select((eb) => ["version", eb.fn<number>("length", ["spec"]).as("bytes")])
      .where("uid", "=", uid)
      .orderBy("version", "desc")
      .execute();
    let bytes = 0;
    for (const [i, one] of kept.entries()) {
      bytes += one.bytes;
      if (i < 2 || bytes <= limits.versionBytesPerResource) continue;
      below = Math.max(below, one.version);
      break;
    }
  }
  if (below <= 0) return;
  await trx.deleteFrom("resource_versions").where("uid", "=", uid).where("version", "<=", below).execute();
}

async function sweep(trx: Trx, at: { readonly tenant: string; readonly number: number; readonly now: Micros }) {
  const { tenant, number, now } = at;
  await trx
    .deleteFrom("change_sets")
    .where("tenant_uid", "=", tenant)
    .where("number", "<=", number - limits.changeSets)
    .execute();
  await trx
    .deleteFrom("resource_versions")
    .where("tenant_uid", "=", tenant)
    .where("uid", "in", (eb) =>
      eb
        .selectFrom("resources")
        .select("uid")
        .where("tenant_uid", "=", tenant)
        .where("deleted_at", "<", now - limits.deletedKeptMs * 1000),
    )
    .execute();
}
