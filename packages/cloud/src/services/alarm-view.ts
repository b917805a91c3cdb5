import {
  type AlarmActKind,
  type AlarmState,
  formatMicros,
  type Micros,
  type Severity,
  type TenantUid,
} from "@penstock/model";
import type { Selectable } from "kysely";
import type { AlarmsTable } from "../state-schema.ts";
import type { ServiceContext } from "./context.ts";
import type { Names } from "./names.ts";

export interface AlarmView {
  id: string;
  source: "system" | "rule";
  node: string | null;
  device: string | null;
  rule: string | null;
  alarm: string | null;
  code: string;
  key: string;
  state: AlarmState;
  severity: Severity;
  message: string;
  raisedAt: string;
  lastAt: string;
  count: number;
  clearedAt: string | null;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  comment: string | null;
  shelved: { until: string | null; by: string } | null;
  escalated: number;
  pending: AlarmActKind[];
}
export type AlarmRow = Selectable<AlarmsTable>;

const timeOf = (time: number | null) => (time === null ? null : formatMicros(time as Micros));

/** 32 hex digits, as ids of everything are */
export function alarmId(id: number): string {
  return id.toString(16).padStart(32, "0");
}
/** @returns -1 for an id that no alarm can have */
export function alarmNumber(id: string): number {
  const number = Number.parseInt(id, 16);
  return Number.isSafeInteger(number) ? number : -1;
}

/** Rows as the API answers them; what is pending is asked for all of them at once. */
export async function alarmViews(
  { db, clock }: Pick<ServiceContext, "db" | "clock">,
  names: Names,
  rows: readonly AlarmRow[],
): Promise<AlarmView[]> {
  const now = clock.now();
  const ofRules = rows.filter(({ rule_uid }) => rule_uid !== null);
  const acts =
    ofRules.length === 0
      ? []
      : await db
          .selectFrom("alarm_acts")
          .select(["alarm_id", "kind"])
          .where("tenant_uid", "=", ofRules[0]!.tenant_uid as TenantUid)
          .where("state", "=", "pending")
          .where(
            "alarm_id",
            "in",
            ofRules.map(({ id }) => id),
          )
          .orderBy("requested_at")
          .execute();
  return Promise.all(
    rows.map(async (row): Promise<AlarmView> => {
      const pending = acts.filter(({ alarm_id }) => alarm_id === row.id).map(({ kind }) => kind as AlarmActKind);
      return {
        id: alarmId(row.id),
        source: row.rule_uid === null ? "system" : "rule",
        node: row.node_uid === "" ? null : ((await names.of(row.node_uid)) ?? row.node_uid),
        device: row.device_uid === null ? null : await names.of(row.device_uid),
        ...{ rule: row.rule_name, alarm: row.alarm, code: row.code, key: row.key, state: row.state as AlarmState },
        ...{ severity: row.severity as Severity, message: row.message, count: row.count },
        raisedAt: formatMicros(row.raised_at as Micros),
        lastAt: formatMicros(row.last_at as Micros),
        clearedAt: timeOf(row.cleared_at),
        acknowledgedAt: timeOf(row.acknowledged_at),
        ...{ acknowledgedBy: row.acknowledged_by, comment: row.comment },
        shelved: !isShelved(row, now) ? null : { until: timeOf(row.shelved_until), by: row.shelved_by ?? "" },
        escalated: row.escalated ?? 0,
        pending,
      };
    }),
  );
}

/** Its time may be over before its gateway is back to say so. */
function isShelved({ shelved_at, shelved_until }: AlarmRow, now: Micros): boolean {
  return shelved_at !== null && (shelved_until === null || shelved_until > now);
}
