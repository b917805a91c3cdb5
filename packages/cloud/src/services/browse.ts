import type { BrowsedNode, ConnectionSpec, ConnectionUid, NodeUid } from "@penstock/model";
import type { Caller, ServiceContext } from "./context.ts";
import { findRow, specOf } from "./resource-rows.ts";
import { notFound, tenantOf } from "./tenant-check.ts";

type BrowsedView = Omit<BrowsedNode, "path"> & { path: string[] };

/** What the other end of a connection says that it has: its gateway is asked, nothing is kept. */
export function createBrowse({ db, nudger }: Pick<ServiceContext, "db" | "nudger">) {
  return {
    /** @throws AppError resource/not-found, link/closed, request/too-many, mapper/… */
    async connection(
      caller: Caller,
      ref: { readonly tenant: string; readonly connection: string },
      path: readonly string[],
    ): Promise<{ nodes: BrowsedView[] }> {
      const tenant = await tenantOf(db, caller, ref.tenant);
      const row = await findRow(db, tenant, "Connection", ref.connection);
      if (row === undefined) throw notFound("Connection", ref.connection);
      const node = await findRow(db, tenant, "Node", specOf<ConnectionSpec>(row).node);
      if (node === undefined) throw notFound("Node", specOf<ConnectionSpec>(row).node);
      const nodes = await nudger.browse(node.uid as NodeUid, row.uid as ConnectionUid, path);
      return { nodes: nodes.map((one) => ({ ...one, path: [...one.path] })) };
    },
  };
}
