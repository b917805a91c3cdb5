import {
  type ErrorCode,
  formatMicros,
  invalid,
  type Micros,
  type NodeIdentity,
  type Severity,
  type TenantUid,
} from "@penstock/model";
import type { Selectable } from "kysely";
import type { AlarmsTable } from "../state-schema.ts";
import type { Caller, Page, ServiceContext } from "./context.ts";
import { addLost, type LostRange } from "./lost-alarm.ts";
import type { Names } from "./names.ts";
import { tenantOf } from "./tenant-check.ts";

export interface AlarmView {
  node: string | null;
  code: string;
  key: string;
  severity: Severity;
  message: string;
  raisedAt: string;
  lastAt: string;
  count: number;
  clearedAt: string | null;
}

/** How bad a code is; what is not named is minor. */
const severityOf: Partial<Record<ErrorCode, Severity>> = {
  "ingest/gap": "critical",
  "outbox/corrupt": "critical",
  "outbox/full": "major",
  "link/duplicate-node": "major",
  "services/line-overloaded": "major",
};
type Row = Selectable<AlarmsTable>;

/** Raised once per (tenant, node, code, key) until cleared; raising again counts up. */
export function createAlarms(
  context: ServiceContext,
  parts: { readonly names: Names; readonly onAlarm: (tenant: TenantUid, alarm: AlarmView) => void },
) {
  const { db, clock, log } = context;
  const raised = context.metrics.counter("penstock_services_alarms_raised_total", "Alarms raised, repeats included");
  let last: Promise<void> = Promise.resolve();

  async function viewOf(row: Row): Promise<AlarmView> {
    return {
      node: row.node_uid === "" ? null : ((await parts.names.of(row.node_uid)) ?? row.node_uid),
      code: row.code,
      key: row.key,
      severity: row.severity as Severity,
      message: row.message,
      raisedAt: formatMicros(row.raised_at as Micros),
      lastAt: formatMicros(row.last_at as Micros),
      count: row.count,
      clearedAt: row.cleared_at === null ? null : formatMicros(row.cleared_at as Micros),
    };
  }
  /** One change after the other, in the order they were asked for, so that clear never overtakes its raise. */
  function next(tenant: TenantUid, run: () => Promise<Row | undefined>): void {
    last = last
      .then(run)
      .then(async (row) => {
        if (row !== undefined) parts.onAlarm(tenant, await viewOf(row));
      })
      .catch((error: unknown) => log.error({ error: String(error) }, "An alarm could not be stored"));
  }

  return {
    /**
     * What an earlier process watched is watched anew: two machines with one certificate, or readings of devices that are not
     * the node's, are noticed again within minutes, but that it is over would never be.
     */
    async start(): Promise<void> {
      await db
        .updateTable("alarms")
        .set({ cleared_at: clock.now() })
        .where("code", "in", ["link/duplicate-node", "ingest/not-assigned"])
        .where("cleared_at", "is", null)
        .execute();
    },
    raise(
      identity: NodeIdentity,
      alarm: { readonly code: ErrorCode; readonly key: string; readonly message: string },
    ): void {
      raised.add();
      const now = clock.now();
      next(identity.tenant, () =>
        db.transaction().execute(async (trx) => {
          const again = await trx
            .updateTable("alarms")
            .set((eb) => ({ last_at: now, count: eb("count", "+", 1), message: alarm.message }))
            .where("tenant_uid", "=", identity.tenant)
            .where("node_uid", "=", identity.node)
            .where("code", "=", alarm.code)
            .where("key", "=", alarm.key)
            .where("cleared_at", "is", null)
            .returningAll()
            .executeTakeFirst();
          if (again !== undefined) return again;
          return trx
            .insertInto("alarms")
            .values({
              tenant_uid: identity.tenant,
              node_uid: identity.node,
              code: alarm.code,
              key: alarm.key,
              severity: severityOf[alarm.code] ?? "minor",
              message: alarm.message,
              raised_at: now,
              last_at: now,
              count: 1,
              cleared_at: null,
              lost: null,
            })
            .returningAll()
            .executeTakeFirst();
        }),
      );
    },
    /** Readings are lost: one alarm an epoch, that counts each seq once however often it is told. */
    lose(identity: NodeIdentity, lost: LostRange): void {
      const now = clock.now();
      next(identity.tenant, async () => {
        const row = await addLost(db, { identity, lost, now, severity: severityOf["ingest/gap"] ?? "critical" });
        if (row !== undefined) raised.add();
        return row;
      });
    },
    clear(identity: NodeIdentity, alarm: { readonly code: ErrorCode; readonly key: string }): void {
      const now = clock.now();
      next(identity.tenant, () =>
        db
          .updateTable("alarms")
          .set({ cleared_at: now })
          .where("tenant_uid", "=", identity.tenant)
          .where("node_uid", "=", identity.node)
          .where("code", "=", alarm.code)
          .where("key", "=", alarm.key)
          .where("cleared_at", "is", null)
          .returningAll()
          .executeTakeFirst(),
      );
    },
    /** of this node and code only those with these keys stay raised */
    clearOthers(identity: NodeIdentity, code: ErrorCode, keys: readonly string[]): void {
      const now = clock.now();
      next(identity.tenant, async () => {
        let clear = db
          .updateTable("alarms")
          .set({ cleared_at: now })
          .where("tenant_uid", "=", identity.tenant)
          .where("node_uid", "=", identity.node)
          .where("code", "=", code)
          .where("cleared_at", "is", null);
        if (keys.length > 0) clear = clear.where("key", "not in", keys);
        await clear.execute();
        return undefined;
      });
    },
    /** the last raised first */
    async list(
      caller: Caller,
      tenantName: string,
      query: { readonly active?: boolean; readonly limit?: number; readonly cursor?: string },
    ): Promise<Page<AlarmView>> {
      const tenant = await tenantOf(db, caller, tenantName);
      const limit = query.limit ?? 100;
      if (query.cursor !== undefined && !/^\d{1,15}$/.test(query.cursor)) {
        throw invalid([{ field: "cursor", value: query.cursor, rule: "must be one from an answer" }]);
      }
      let select = db.selectFrom("alarms").selectAll().where("tenant_uid", "=", tenant);
      if (query.active === true) select = select.where("cleared_at", "is", null);
      if (query.active === false) select = select.where("cleared_at", "is not", null);
      if (query.cursor !== undefined) select = select.where("id", "<", Number(query.cursor));
      const rows = await select
        .orderBy("id", "desc")
        .limit(limit + 1)
        .execute();
      const items = await Promise.all(rows.slice(0, limit).map(viewOf));
      return { items, cursor: rows.length > limit ? String(rows[limit - 1]!.id) : null };
    },
    /** resolves when nothing is in flight */
    async close(): Promise<void> {
      await last;
    },
  };
}
export type Alarms = ReturnType<typeof createAlarms>;
