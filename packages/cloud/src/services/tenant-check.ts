import { AppError, type TenantUid } from "@penstock/model";
import type { Caller, Reader } from "./context.ts";

/**
 * The first line of every service method that has a tenant: its uid, if it exists and the caller may see it. A tenant that
 * the caller may not see is not found, in the same words as one that does not exist.
 *
 * @throws AppError resource/not-found
 */
export async function tenantOf(db: Reader, caller: Caller, name: string): Promise<TenantUid> {
  const row = await db
    .selectFrom("resources")
    .select("uid")
    .where("tenant_uid", "=", "")
    .where("kind", "=", "Tenant")
    .where("name", "=", name)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  const uid = row?.uid as TenantUid | undefined;
  if (uid === undefined || (caller.tenants !== "all" && !caller.tenants.includes(uid))) throw notFound("Tenant", name);
  return uid;
}

/** The one wording, so that an answer never tells whether another tenant has the name. */
export function notFound(kind: string, name: string): AppError {
  return new AppError("resource/not-found", `Cannot find ${kind} "${name}"`);
}
