import {
  type AlarmAct,
  type AlarmActKind,
  type AlarmActOutcome,
  AppError,
  type CloudAlarms,
  type ErrorCode,
  formatMicros,
  hexId,
  invalid,
  limits,
  type Micros,
  type NodeIdentity,
  type NodeUid,
  type RuleUid,
  type TenantUid,
} from "@penstock/model";
import type { Selectable } from "kysely";
import type { AlarmActsTable } from "../state-schema.ts";
import { noteTransition } from "./alarm-history.ts";
import { type AlarmRow, type AlarmView, alarmId, alarmViews } from "./alarm-view.ts";
import { type AlarmRef, mustFindAlarm } from "./alarms.ts";
import { audit } from "./audit.ts";
import type { Caller, ServiceContext, Trx } from "./context.ts";
import { durationOf } from "./duration-of.ts";
import { recall, remember } from "./idempotency.ts";
import type { Names } from "./names.ts";
import { tenantOf } from "./tenant-check.ts";

export interface AlarmActRequest {
  readonly kind: AlarmActKind;
  readonly comment?: string | undefined;
  /** duration, of shelve */
  readonly for?: string | undefined;
  /** duration; how long to wait for the gateway's answer, 0 unless stated */
  readonly wait?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}
export interface AlarmActView {
  id: string;
  alarm: string;
  kind: AlarmActKind;
  state: "pending" | "done" | "refused";
  reason: ErrorCode | null;
  comment: string | null;
  until: string | null;
  requestedBy: string;
  requestedAt: string;
  endedAt: string | null;
}
type ActRow = Selectable<AlarmActsTable>;

/**
 * What people do about alarms. Of a rule's alarm the gateway decides, since it does so without the cloud too: an act waits
 * until the gateway has answered, also for days. The system's own alarms stand here and are acted on at once.
 */
export function createAlarmActs(
  context: ServiceContext,
  parts: { readonly names: Names; readonly onAlarm: (tenant: TenantUid, alarm: AlarmView) => void },
) {
  const { db, clock, random, nudger } = context;
  const waiting = new Map<string, Set<() => void>>();

  async function tell(tenant: TenantUid, rows: readonly AlarmRow[]): Promise<void> {
    for (const view of await alarmViews(context, parts.names, rows)) parts.onAlarm(tenant, view);
  }

  async function store(caller: Caller, ref: AlarmRef, request: AlarmActRequest) {
    const shelvedMs =
      request.for === undefined
        ? null
        : durationOf(request.for, "for", { least: 1000, most: limits.alarmShelvedMs, otherwise: 0 });
    check(request);
    return db.transaction().execute(async (trx) => {
      const tenant = await tenantOf(trx, caller, ref.tenant);
      const alarm = await mustFindAlarm(trx, tenant, ref.id);
      const { kind, comment } = request;
      const keyed = {
        ...{ key: request.idempotencyKey ?? "", tenant, caller },
        request: ["alarm act", alarm.id, kind, comment ?? null, shelvedMs],
      };
      const now = clock.now();
      if (request.idempotencyKey !== undefined) {
        const before = await recall<{ id: string }>(trx, keyed, now);
        if (before !== null) return { act: await mustFindAct(trx, before.id), alarm, isNew: false };
      }
      const isOfRule = alarm.rule_uid !== null;
      if (isOfRule) await roomFor(trx, alarm);
      const act = await trx
        .insertInto("alarm_acts")
        .values({
          ...{ id: hexId(random.bytes(16)), tenant_uid: tenant, node_uid: alarm.node_uid, alarm_id: alarm.id, kind },
          ...{ comment: comment ?? null, until: shelvedMs === null ? null : now + shelvedMs * 1000, reason: null },
          ...{ state: isOfRule ? "pending" : "done", requested_by: caller.name, requested_at: now },
          ended_at: isOfRule ? null : now,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      const after = isOfRule ? alarm : await actHere(trx, alarm, act);
      await audit(trx, {
        ...{ tenant, at: now, actor: caller.uid, action: kind, kind: "Alarm", name: alarm.alarm ?? alarm.code },
        ...{ uid: alarmId(alarm.id), detail: { act: act.id, comment: comment ?? null, until: act.until } },
      });
      if (request.idempotencyKey !== undefined) {
        await remember(trx, keyed, { status: 202, body: { id: act.id }, now });
      }
      return { act, alarm: after, isNew: true };
    });
  }

  /** Resolves with the act when the gateway has answered, or when the wait is over. */
  async function settled(id: string, waitMs: number, signal: AbortSignal | undefined): Promise<ActRow> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const listeners = waiting.get(id) ?? new Set();
    waiting.set(id, listeners.add(resolve));
    const cancel = clock.after(waitMs, resolve);
    signal?.addEventListener("abort", () => resolve(), { once: true });
    try {
      // Listening began before this read, so an answer between the two is not missed.
      const row = await mustFindAct(db, id);
      if (row.state !== "pending" || waitMs === 0 || signal?.aborted === true) return row;
      await promise;
      return await mustFindAct(db, id);
    } finally {
      cancel();
      listeners.delete(resolve);
      if (listeners.size === 0) waiting.delete(id);
    }
  }

  const links: Pick<CloudAlarms, "pendingActs" | "actsDone"> = {
    async pendingActs({ tenant, node }) {
      const rows = await db
        .selectFrom("alarm_acts")
        .innerJoin("alarms", "alarms.id", "alarm_acts.alarm_id")
        .selectAll("alarm_acts")
        .select(["alarms.rule_uid", "alarms.alarm", "alarms.key", "alarms.occurrence"])
        .where("alarm_acts.tenant_uid", "=", tenant)
        .where("alarm_acts.node_uid", "=", node)
        .where("alarm_acts.state", "=", "pending")
        .orderBy("alarm_acts.requested_at")
        .limit(limits.alarmActsPerNode)
        .execute();
      return rows.map(
        (row): AlarmAct => ({
          ...{ id: row.id, kind: row.kind as AlarmActKind, rule: row.rule_uid as RuleUid, alarm: row.alarm ?? "" },
          ...{ key: row.key, occurrence: row.occurrence ?? 0, who: row.requested_by, comment: row.comment },
          until: row.until as Micros | null,
        }),
      );
    },
    async actsDone({ tenant, node }: NodeIdentity, outcomes: readonly AlarmActOutcome[]) {
      const alarms = await db.transaction().execute(async (trx) => {
        const ids = new Set<number>();
        for (const { id, reason } of outcomes) {
          const row = await trx
            .updateTable("alarm_acts")
            .set({ state: reason === null ? "done" : "refused", reason, ended_at: clock.now() })
            .where("id", "=", id)
            .where("tenant_uid", "=", tenant)
            .where("node_uid", "=", node)
            .where("state", "=", "pending")
            .returning("alarm_id")
            .executeTakeFirst();
          if (row !== undefined) ids.add(row.alarm_id);
        }
        if (ids.size === 0) return [];
        const found = trx.selectFrom("alarms").selectAll().where("tenant_uid", "=", tenant);
        return found.where("id", "in", [...ids]).execute();
      });
      for (const { id } of outcomes) for (const resolve of waiting.get(id) ?? []) resolve();
      await tell(tenant, alarms);
    },
  };

  return {
    ...links,
    /**
     * @returns isSettled false: the gateway has not answered within the wait
     * @throws AppError rules/no-alarm when the gateway answered that there is none to act on any more
     */
    async act(
      caller: Caller,
      ref: AlarmRef,
      request: AlarmActRequest,
    ): Promise<{ view: AlarmActView; isSettled: boolean }> {
      const waitMs = durationOf(request.wait, "wait", { least: 0, most: limits.desiredWaitMaxMs, otherwise: 0 });
      const { act, alarm, isNew } = await store(caller, ref, request);
      if (isNew) {
        if (act.state === "pending") nudger.alarmActsChanged(act.node_uid as NodeUid);
        await tell(act.tenant_uid as TenantUid, [alarm]);
      }
      const view = actView(act.state === "pending" ? await settled(act.id, waitMs, request.signal) : act);
      if (view.state === "refused")
        throw new AppError(view.reason ?? "rules/no-alarm", `Cannot ${view.kind} alarm "${ref.id}": it is over`);
      return { view, isSettled: view.state === "done" };
    },
  };

  async function roomFor(trx: Trx, alarm: AlarmRow): Promise<void> {
    const { count } = await trx
      .selectFrom("alarm_acts")
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .where("tenant_uid", "=", alarm.tenant_uid)
      .where("node_uid", "=", alarm.node_uid)
      .where("state", "=", "pending")
      .executeTakeFirstOrThrow();
    if (Number(count) < limits.alarmActsPerNode) return;
    throw new AppError("request/too-many", `Cannot act on the alarm: ${count} acts wait for its gateway`);
  }

  /** One of the system's own. */
  async function actHere(trx: Trx, alarm: AlarmRow, act: ActRow): Promise<AlarmRow> {
    const { kind, comment } = act;
    const now = act.requested_at as Micros;
    if (kind === "acknowledge" && alarm.state !== "unacknowledged" && alarm.state !== "acknowledged")
      throw new AppError("rules/no-alarm", `Cannot acknowledge alarm "${alarmId(alarm.id)}": it is over`);
    const changes = {
      acknowledge: { state: "acknowledged", acknowledged_at: now, acknowledged_by: act.requested_by },
      shelve: { shelved_at: now, shelved_until: act.until, shelved_by: act.requested_by },
      unshelve: { shelved_at: null, shelved_until: null, shelved_by: null },
      comment: {},
    } as const;
    const row = await trx
      .updateTable("alarms")
      .set({ ...changes[kind as AlarmActKind], ...(comment !== null && { comment }) })
      .where("tenant_uid", "=", alarm.tenant_uid)
      .where("id", "=", alarm.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    const told = {
      acknowledge: "acknowledged",
      shelve: "shelved",
      unshelve: "unshelved",
      comment: "commented",
    } as const;
    await noteTransition(trx, row, { kind: told[kind as AlarmActKind], time: now, who: act.requested_by, comment });
    return row;
  }
}
export type AlarmActs = ReturnType<typeof createAlarmActs>;

function check({ kind, comment, for: duration }: AlarmActRequest): void {
  if (kind === "comment" && comment === undefined)
    throw invalid([{ field: "comment", value: "", rule: "is required" }]);
  if (kind !== "shelve" && duration !== undefined)
    throw invalid([{ field: "for", value: duration, rule: 'is for "shelve" only' }]);
}

async function mustFindAct(db: Pick<ServiceContext["db"], "selectFrom">, id: string): Promise<ActRow> {
  return db.selectFrom("alarm_acts").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
}

function actView(row: ActRow): AlarmActView {
  return {
    ...{ id: row.id, alarm: alarmId(row.alarm_id), kind: row.kind as AlarmActKind, comment: row.comment },
    ...{ state: row.state as AlarmActView["state"], reason: row.reason as ErrorCode | null },
    until: row.until === null ? null : formatMicros(row.until as Micros),
    requestedBy: row.requested_by,
    requestedAt: formatMicros(row.requested_at as Micros),
    endedAt: row.ended_at === null ? null : formatMicros(row.ended_at as Micros),
  };
}
