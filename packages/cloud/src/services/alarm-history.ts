import {
  type AlarmState,
  type AlarmTransitionKind,
  formatMicros,
  limits,
  type Micros,
  type Severity,
} from "@penstock/model";
import type { Selectable } from "kysely";
import type { AlarmTransitionsTable } from "../state-schema.ts";
import type { AlarmRow } from "./alarm-view.ts";
import type { Trx } from "./context.ts";

export interface AlarmTransitionView {
  /** set, called: what somebody did to its device meanwhile */
  kind: AlarmTransitionKind | "set" | "called";
  time: string;
  state: AlarmState;
  severity: Severity;
  message: string;
  count: number;
  who: string | null;
  comment: string | null;
}

export function transitionView(row: Selectable<AlarmTransitionsTable>): AlarmTransitionView {
  return {
    kind: row.kind as AlarmTransitionKind,
    time: formatMicros(row.time as Micros),
    ...{ state: row.state as AlarmState, severity: row.severity as Severity, message: row.message, count: row.count },
    ...{ who: row.who, comment: row.comment },
  };
}

/** A line of the system's own alarms; those of rules are told by their gateways. */
export async function noteTransition(
  trx: Trx,
  row: AlarmRow,
  what: {
    readonly kind: AlarmTransitionKind;
    readonly time: Micros;
    readonly who?: string;
    readonly comment?: string | null;
  },
): Promise<void> {
  await trx
    .insertInto("alarm_transitions")
    .values({
      ...{ tenant_uid: row.tenant_uid, node_uid: row.node_uid, alarm_id: row.id, epoch: null, number: null },
      ...{ kind: what.kind, time: what.time, state: row.state, severity: row.severity, message: row.message },
      ...{ count: row.count, who: what.who ?? null, comment: what.comment ?? null },
    })
    .execute();
}

/** What is older than a year goes, and beyond the bound the oldest, with the alarms that are over as long. */
export async function pruneHistory(trx: Trx, tenant: string, now: Micros): Promise<void> {
  const old = now - limits.alarmHistoryMs * 1000;
  await trx.deleteFrom("alarm_transitions").where("tenant_uid", "=", tenant).where("time", "<", old).execute();
  await trx
    .deleteFrom("alarms")
    .where("tenant_uid", "=", tenant)
    .where("state", "=", "normal")
    .where("cleared_at", "<", old)
    .execute();
  const last = await trx
    .selectFrom("alarm_transitions")
    .select("id")
    .where("tenant_uid", "=", tenant)
    .orderBy("id", "desc")
    .offset(limits.alarmTransitionsKept)
    .limit(1)
    .executeTakeFirst();
  if (last === undefined) return;
  await trx.deleteFrom("alarm_transitions").where("tenant_uid", "=", tenant).where("id", "<=", last.id).execute();
}
