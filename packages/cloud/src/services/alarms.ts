import {
  type AlarmState,
  type ErrorCode,
  invalid,
  type NodeIdentity,
  type Severity,
  type TenantUid,
} from "@penstock/model";
import { deviceActs, deviceActView } from "./alarm-device-acts.ts";
import { type AlarmTransitionView, noteTransition, transitionView } from "./alarm-history.ts";
import { type AlarmRow, type AlarmView, alarmNumber, alarmViews } from "./alarm-view.ts";
import type { Caller, Page, Reader, ServiceContext } from "./context.ts";
import { addLost, type LostRange } from "./lost-alarm.ts";
import type { Names } from "./names.ts";
import { findRow } from "./resource-rows.ts";
import { notFound, tenantOf } from "./tenant-check.ts";

export type { AlarmView };
export interface AlarmRef {
  readonly tenant: string;
  readonly id: string;
}
export interface AlarmQuery {
  readonly active?: boolean;
  readonly state?: AlarmState;
  readonly severity?: Severity;
  readonly device?: string;
  readonly rule?: string;
  readonly shelved?: boolean;
  readonly limit?: number;
  readonly cursor?: string;
}

/** How bad a code is; what is not named is minor. */
const severityOf: Partial<Record<ErrorCode, Severity>> = {
  "ingest/gap": "critical",
  "outbox/corrupt": "critical",
  "outbox/full": "major",
  "link/duplicate-node": "major",
  "services/line-overloaded": "major",
};

/** Raised once per (tenant, node, code, key) until cleared; raising again counts up. */
export function createAlarms(
  context: ServiceContext,
  parts: { readonly names: Names; readonly onAlarm: (tenant: TenantUid, alarm: AlarmView) => void },
) {
  const { db, clock, log } = context;
  const raised = context.metrics.counter("penstock_services_alarms_raised_total", "Alarms raised, repeats included");
  let last: Promise<void> = Promise.resolve();

  const viewsOf = (rows: readonly AlarmRow[]) => alarmViews(context, parts.names, rows);
  /** One change after the other, in the order they were asked for, so that clear never overtakes its raise. */
  function next(tenant: TenantUid, run: () => Promise<AlarmRow | undefined>): void {
    last = last
      .then(run)
      .then(async (row) => {
        if (row !== undefined) parts.onAlarm(tenant, (await viewsOf([row]))[0]!);
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
        .set({ cleared_at: clock.now(), state: "normal" })
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
          const row = await trx
            .insertInto("alarms")
            .values({
              ...{ tenant_uid: identity.tenant, node_uid: identity.node, code: alarm.code, key: alarm.key },
              ...{ severity: severityOf[alarm.code] ?? "minor", message: alarm.message, state: "unacknowledged" },
              ...{ raised_at: now, last_at: now, count: 1 },
            })
            .returningAll()
            .executeTakeFirstOrThrow();
          await noteTransition(trx, row, { kind: "raised", time: now });
          return row;
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
        db.transaction().execute(async (trx) => {
          const row = await trx
            .updateTable("alarms")
            .set({ cleared_at: now, state: "normal" })
            .where("tenant_uid", "=", identity.tenant)
            .where("node_uid", "=", identity.node)
            .where("code", "=", alarm.code)
            .where("key", "=", alarm.key)
            .where("cleared_at", "is", null)
            .returningAll()
            .executeTakeFirst();
          if (row !== undefined) await noteTransition(trx, row, { kind: "cleared", time: now });
          return row;
        }),
      );
    },
    /** of this node and code only those with these keys stay raised */
    clearOthers(identity: NodeIdentity, code: ErrorCode, keys: readonly string[]): void {
      const now = clock.now();
      next(identity.tenant, async () => {
        let clear = db
          .updateTable("alarms")
          .set({ cleared_at: now, state: "normal" })
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
    async list(caller: Caller, tenantName: string, query: AlarmQuery): Promise<Page<AlarmView>> {
      const tenant = await tenantOf(db, caller, tenantName);
      const limit = query.limit ?? 100;
      let select = db.selectFrom("alarms").selectAll().where("tenant_uid", "=", tenant);
      if (query.active === true) select = select.where("cleared_at", "is", null);
      if (query.active === false) select = select.where("cleared_at", "is not", null);
      if (query.state !== undefined) select = select.where("state", "=", query.state);
      if (query.severity !== undefined) select = select.where("severity", "=", query.severity);
      if (query.rule !== undefined) select = select.where("rule_name", "=", query.rule);
      if (query.shelved !== undefined) {
        const isShelved = query.shelved;
        select = select.where((eb) => {
          const stands = eb.and([
            eb("shelved_at", "is not", null),
            eb.or([eb("shelved_until", "is", null), eb("shelved_until", ">", clock.now())]),
          ]);
          return isShelved ? stands : eb.not(stands);
        });
      }
      if (query.device !== undefined) {
        const device = await findRow(db, tenant, "Device", query.device);
        if (device === undefined) return { items: [], cursor: null };
        select = select.where("device_uid", "=", device.uid);
      }
      const before = placeOf(query.cursor);
      if (before !== null) select = select.where("id", "<", before);
      const rows = await select
        .orderBy("id", "desc")
        .limit(limit + 1)
        .execute();
      const items = await viewsOf(rows.slice(0, limit));
      return { items, cursor: rows.length > limit ? String(rows[limit - 1]!.id) : null };
    },
    async get(caller: Caller, ref: AlarmRef): Promise<AlarmView> {
      const tenant = await tenantOf(db, caller, ref.tenant);
      return (await viewsOf([await mustFindAlarm(db, tenant, ref.id)]))[0]!;
    },
    /** what happened to it, and what somebody did to its device meanwhile; oldest first */
    async history(
      caller: Caller,
      ref: AlarmRef,
      query: { readonly limit?: number; readonly cursor?: string },
    ): Promise<Page<AlarmTransitionView>> {
      const tenant = await tenantOf(db, caller, ref.tenant);
      const alarm = await mustFindAlarm(db, tenant, ref.id);
      const limit = query.limit ?? 100;
      const [told, acted] = placesOf(query.cursor);
      const rows = await db
        .selectFrom("alarm_transitions")
        .selectAll()
        .where("tenant_uid", "=", tenant)
        .where("alarm_id", "=", alarm.id)
        .where("id", ">", told)
        .orderBy("id")
        .limit(limit + 1)
        .execute();
      const acts = await deviceActs(db, alarm, { after: acted, most: limit + 1 });
      const items: AlarmTransitionView[] = [];
      let before = await transitionNumbered(db, alarm, told);
      let [i, j] = [0, 0];
      while (items.length < limit && (i < rows.length || j < acts.length)) {
        const [row, act] = [rows[i], acts[j]];
        if (row !== undefined && (act === undefined || row.time <= act.at)) {
          before = transitionView(row);
          items.push(before);
          i++;
        } else {
          items.push(await deviceActView(db, { act: act!, alarm, names: parts.names, before }));
          j++;
        }
      }
      const isMore = i < rows.length || j < acts.length;
      const places = [rows[i - 1]?.id ?? told, acts[j - 1]?.id ?? acted];
      return { items, cursor: isMore ? places.join("-") : null };
    },
    /** resolves when nothing is in flight */
    async close(): Promise<void> {
      await last;
    },
  };
}
export type Alarms = ReturnType<typeof createAlarms>;

/** @throws AppError resource/not-found, in the same words for another tenant's alarm */
export async function mustFindAlarm(db: Reader, tenant: TenantUid, id: string): Promise<AlarmRow> {
  const found = db.selectFrom("alarms").selectAll().where("tenant_uid", "=", tenant).where("id", "=", alarmNumber(id));
  const row = await found.executeTakeFirst();
  if (row === undefined) throw notFound("alarm", id);
  return row;
}

/** The last line of the page before; null: there is none. */
async function transitionNumbered(db: Reader, alarm: AlarmRow, id: number): Promise<AlarmTransitionView | null> {
  if (id === 0) return null;
  const found = db.selectFrom("alarm_transitions").selectAll().where("tenant_uid", "=", alarm.tenant_uid);
  const row = await found.where("alarm_id", "=", alarm.id).where("id", "=", id).executeTakeFirst();
  return row === undefined ? null : transitionView(row);
}

/** Of the alarm's own lines and of those of its device, ids of the last that were told. */
function placesOf(cursor: string | undefined): readonly [number, number] {
  if (cursor === undefined) return [0, 0];
  const [, told, acted] = /^(\d{1,15})-(\d{1,15})$/.exec(cursor) ?? [];
  if (told !== undefined) return [Number(told), Number(acted)];
  throw invalid([{ field: "cursor", value: cursor, rule: "must be one from an answer" }]);
}

function placeOf(cursor: string | undefined): number | null {
  if (cursor === undefined) return null;
  if (!/^\d{1,15}$/.test(cursor)) {
    throw invalid([{ field: "cursor", value: cursor, rule: "must be one from an answer" }]);
  }
  return Number(cursor);
}
