import { contract } from "@penstock/api";
import type { TenantSpec } from "@penstock/model";
import { type CheckingContext, system } from "./context.ts";
import { createKindService, inUse } from "./kind-service.ts";

export const defaultTenant = "default";

/** Enterprises. One with anything in it cannot be deleted. */
export function createTenants(context: CheckingContext) {
  const service = createKindService<"Tenant", TenantSpec, Record<string, never>>(context, {
    kind: "Tenant",
    contract: contract.tenants,
    scope: "platform",
    status: async (_, rows) => rows.map(() => ({})),
    async removing({ trx, row }) {
      const users = await trx
        .selectFrom("resources")
        .selectAll()
        .where("tenant_uid", "=", row.uid)
        .where("deleted_at", "is", null)
        .orderBy("name")
        .limit(100)
        .execute();
      if (users.length > 0) throw inUse("Tenant", row.name, users);
      return undefined;
    },
  });
  return {
    ...service,
    /** the tenant that is there from the first start; once deleted, it stays away */
    async ensureDefault(): Promise<void> {
      const any = await context.db
        .selectFrom("resources")
        .select("uid")
        .where("kind", "=", "Tenant")
        .executeTakeFirst();
      if (any !== undefined) return;
      await service.create(
        system,
        { tenant: "", name: defaultTenant },
        { metadata: { name: defaultTenant }, spec: {} },
      );
    },
  };
}
