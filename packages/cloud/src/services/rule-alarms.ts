import type { AlarmTransition, CloudAlarms, Micros, NodeIdentity, TenantUid } from "@penstock/model";
import { pruneHistory } from "./alarm-history.ts";
import { type AlarmRow, type AlarmView, alarmViews } from "./alarm-view.ts";
import type { ServiceContext, Trx } from "./context.ts";
import type { Names } from "./names.ts";

/** History is cleaned out after so many lines. */
const pruneEvery = 1000;

/** What happened to an alarm of a rule, once it is stored. */
export interface RuleAlarmNews {
  readonly identity: NodeIdentity;
  readonly transition: AlarmTransition;
  readonly row: AlarmRow;
}

/**
 * Alarms that rules raised at gateways: each transition is stored once, however often it is told, and the alarm stands as
 * the transition with the highest number says.
 */
export function createRuleAlarms(
  context: ServiceContext,
  parts: {
    readonly names: Names;
    readonly onAlarm: (tenant: TenantUid, alarm: AlarmView) => void;
    /** in the transaction that stores it */
    readonly onNews: (trx: Trx, news: RuleAlarmNews) => Promise<void>;
  },
) {
  const { db, clock, metrics } = context;
  const stored = metrics.counter("penstock_services_alarm_transitions_total", "What happened to alarms of rules");
  let sincePruned = 0;

  /** @returns null: it is held already, or there is no alarm that it is about */
  async function take(trx: Trx, identity: NodeIdentity, epoch: string, told: AlarmTransition) {
    const { tenant, node } = identity;
    const mine = trx.selectFrom("alarms").selectAll().where("tenant_uid", "=", tenant).where("node_uid", "=", node);
    const before =
      told.occurrence === 0
        ? await mine
            .where("rule_uid", "=", told.rule)
            .where("alarm", "=", told.alarm)
            .where("key", "=", told.key)
            .orderBy("id", "desc")
            .executeTakeFirst()
        : await mine
            .where("rule_uid", "=", told.rule)
            .where("alarm", "=", told.alarm)
            .where("key", "=", told.key)
            .where("epoch", "=", epoch)
            .where("occurrence", "=", told.occurrence)
            .executeTakeFirst();
    if (before === undefined && told.occurrence === 0) return null;
    const row = before ?? (await insert(trx, identity, epoch, told));
    const line = await trx
      .insertInto("alarm_transitions")
      .values({
        ...{ tenant_uid: tenant, node_uid: node, alarm_id: row.id, epoch, number: told.number },
        ...{ kind: told.kind, time: told.time, state: told.state, severity: told.severity, message: told.message },
        ...{ count: told.count, who: told.who, comment: told.comment },
      })
      .onConflict((conflict) => conflict.columns(["tenant_uid", "node_uid", "epoch", "number"]).doNothing())
      .returning("id")
      .executeTakeFirst();
    if (line === undefined) return null;
    const isNewer = row.epoch !== epoch || told.number >= (row.transition ?? 0);
    if (!isNewer) return row;
    return trx
      .updateTable("alarms")
      .set({ ...(told.occurrence === 0 ? {} : { ...standing(row, told), epoch }), ...shelving(row, told) })
      .set({ transition: told.number })
      .where("id", "=", row.id)
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  async function insert(trx: Trx, { tenant, node }: NodeIdentity, epoch: string, told: AlarmTransition) {
    // A gateway speaks of its tenant's devices only; another's name must not come back by its uid.
    const device =
      told.device === null
        ? undefined
        : await trx
            .selectFrom("resources")
            .select("uid")
            .where("tenant_uid", "=", tenant)
            .where("kind", "=", "Device")
            .where("uid", "=", told.device)
            .executeTakeFirst();
    return trx
      .insertInto("alarms")
      .values({
        ...{ tenant_uid: tenant, node_uid: node, code: "rules/alarm", key: told.key, severity: told.severity },
        ...{ message: told.message, raised_at: told.time, last_at: told.time, count: told.count, state: told.state },
        ...{ rule_uid: told.rule, rule_name: told.ruleName, alarm: told.alarm, device_uid: device?.uid ?? null },
        ...{ epoch, occurrence: told.occurrence, transition: told.number, escalated: told.escalated },
      })
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  const links: Pick<CloudAlarms, "takeTransitions"> = {
    async takeTransitions(identity, epoch, transitions) {
      const changed = await db.transaction().execute(async (trx) => {
        const rows = new Map<number, AlarmRow>();
        for (const transition of transitions) {
          const row = await take(trx, identity, epoch, transition);
          if (row === null) continue;
          rows.set(row.id, row);
          sincePruned += 1;
          await parts.onNews(trx, { identity, transition, row });
        }
        if (sincePruned >= pruneEvery) {
          sincePruned = 0;
          await pruneHistory(trx, identity.tenant, clock.now());
        }
        return [...rows.values()];
      });
      stored.add(transitions.length);
      for (const view of await alarmViews(context, parts.names, changed)) parts.onAlarm(identity.tenant, view);
    },
  };
  return links;
}
export type RuleAlarms = ReturnType<typeof createRuleAlarms>;

function standing(row: AlarmRow, told: AlarmTransition) {
  const isOver = told.state === "returned" || told.state === "normal";
  const isRaised = told.kind === "raised";
  return {
    ...{ state: told.state, severity: told.severity, message: told.message, count: told.count },
    escalated: told.escalated,
    last_at: isRaised ? told.time : row.last_at,
    cleared_at: isOver ? (row.cleared_at ?? told.time) : null,
    ...(isRaised && { acknowledged_at: null, acknowledged_by: null }),
    ...(told.kind === "acknowledged" && { acknowledged_at: told.time, acknowledged_by: told.who }),
    ...(told.comment !== null && { comment: told.comment }),
  };
}

function shelving(row: AlarmRow, { shelving, time }: AlarmTransition) {
  if (shelving === null) return { shelved_at: null, shelved_until: null, shelved_by: null };
  const since = row.shelved_at ?? (time satisfies Micros as number);
  return { shelved_at: since, shelved_until: shelving.until, shelved_by: shelving.by };
}
