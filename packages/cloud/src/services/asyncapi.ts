import { asyncApiOf } from "@penstock/wire";
import type { Assigned } from "./assigned.ts";
import type { Caller, ServiceContext } from "./context.ts";
import { findRow } from "./resource-rows.ts";
import { notFound, tenantOf } from "./tenant-check.ts";

/** What gateways publish at the edge, as it follows from what is assigned to them. */
export function createAsyncApi({ db }: Pick<ServiceContext, "db">, assigned: Pick<Assigned, "get">) {
  return {
    /** @throws AppError resource/not-found */
    async node(
      caller: Caller,
      ref: { readonly tenant: string; readonly node: string },
    ): Promise<Record<string, unknown>> {
      const tenant = await tenantOf(db, caller, ref.tenant);
      const row = await findRow(db, tenant, "Node", ref.node);
      if (row === undefined) throw notFound("Node", ref.node);
      return { ...asyncApiOf(await assigned.get(tenant, row)) };
    },
  };
}
