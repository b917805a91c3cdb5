import type { ErrorCode, NodeIdentity, NodeUid, TenantUid } from "@penstock/model";
import type { Alarms } from "./alarms.ts";
import type { Reader } from "./context.ts";

/**
 * Alarms of a few codes that stand as long as something is so: raised when it begins to be so or says something else,
 * cleared when it is over, also across a restart.
 */
export function createStandingAlarms(alarms: Alarms, codes: readonly ErrorCode[]) {
  /** `tenant/node/code` to messages by key */
  const raised = new Map<string, Map<string, string>>();
  const placeOf = (tenant: string, node: string, code: string) => `${tenant}/${node}/${code}`;

  return {
    /** takes up what an earlier process raised */
    async start(db: Reader): Promise<void> {
      const rows = await db
        .selectFrom("alarms")
        .select(["tenant_uid", "node_uid", "code", "key", "message"])
        .where("code", "in", codes)
        .where("cleared_at", "is", null)
        .execute();
      for (const { tenant_uid, node_uid, code, key, message } of rows) {
        const place = placeOf(tenant_uid, node_uid, code);
        const known = raised.get(place) ?? new Map<string, string>();
        raised.set(place, known.set(key, message));
      }
    },
    /** @param node  null: no gateway is meant. @param now  by key, all that is so now */
    set(tenant: string, node: string | null, code: ErrorCode, now: ReadonlyMap<string, string>): void {
      const place = placeOf(tenant, node ?? "", code);
      const before = raised.get(place) ?? new Map<string, string>();
      // A node of no name stands for none, as in the table.
      const identity: NodeIdentity = { tenant: tenant as TenantUid, node: (node ?? "") as NodeUid };
      for (const [key, message] of now) {
        if (before.get(key) !== message) alarms.raise(identity, { code, key, message });
      }
      for (const key of before.keys()) if (!now.has(key)) alarms.clear(identity, { code, key });
      if (now.size === 0) raised.delete(place);
      else raised.set(place, new Map(now));
    },
    /** the node is deleted, and with it its alarms */
    forget(tenant: string, node: string): void {
      for (const code of codes) raised.delete(placeOf(tenant, node, code));
    },
  };
}
export type StandingAlarms = ReturnType<typeof createStandingAlarms>;
