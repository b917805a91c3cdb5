import { formatMicros, type Json, type Micros } from "@penstock/model";
import type { AlarmTransitionView } from "./alarm-history.ts";
import type { AlarmRow } from "./alarm-view.ts";
import type { Reader } from "./context.ts";
import type { Names } from "./names.ts";

/** What somebody did to an alarm's device in the cloud while the alarm was there: a line of the audit log. */
export interface DeviceAct {
  /** grows with time */
  readonly id: number;
  readonly at: number;
  readonly actor: string;
  readonly action: "set" | "call";
  readonly detail: {
    readonly property?: string;
    readonly value?: Json;
    readonly version?: number;
    readonly method?: string;
    readonly arguments?: Readonly<Record<string, Json>>;
    readonly call?: string;
  };
}

/**
 * Values set at an alarm's device and methods called, from when it was raised first until it was normal again; the audit log
 * is where they are kept, and nothing is stored twice.
 *
 * @param after  id of the last that was told; 0: none
 */
export async function deviceActs(
  db: Reader,
  alarm: Pick<AlarmRow, "id" | "tenant_uid" | "device_uid" | "raised_at" | "state">,
  { after, most }: { readonly after: number; readonly most: number },
): Promise<DeviceAct[]> {
  if (alarm.device_uid === null) return [];
  let select = db
    .selectFrom("audit")
    .select(["id", "at", "actor", "action", "detail"])
    .where("tenant_uid", "=", alarm.tenant_uid)
    .where("uid", "=", alarm.device_uid)
    .where("action", "in", ["set", "call"])
    .where("at", ">=", alarm.raised_at)
    .where("id", ">", after);
  if (alarm.state === "normal") select = select.where("at", "<=", await endOf(db, alarm));
  const rows = await select.orderBy("id").limit(most).execute();
  return rows.map(({ action, detail, ...row }) => ({
    ...row,
    action: action as DeviceAct["action"],
    detail: JSON.parse(detail) as DeviceAct["detail"],
  }));
}

async function endOf(db: Reader, alarm: Pick<AlarmRow, "id" | "tenant_uid">): Promise<number> {
  const last = await db
    .selectFrom("alarm_transitions")
    .select((eb) => eb.fn.max("time").as("time"))
    .where("tenant_uid", "=", alarm.tenant_uid)
    .where("alarm_id", "=", alarm.id)
    .executeTakeFirst();
  return Number(last?.time ?? 0);
}

/** As a line of the alarm's history: how the alarm was then is what the line before it says. */
export async function deviceActView(
  db: Reader,
  of: {
    readonly act: DeviceAct;
    readonly alarm: AlarmRow;
    readonly names: Names;
    readonly before: AlarmTransitionView | null;
  },
): Promise<AlarmTransitionView> {
  const { act, alarm, names, before } = of;
  const { at, actor, action } = act;
  return {
    kind: action === "set" ? "set" : "called",
    time: formatMicros(at as Micros),
    state: before?.state ?? "unacknowledged",
    severity: before?.severity ?? (alarm.severity as AlarmTransitionView["severity"]),
    message: action === "set" ? await setText(db, alarm, act) : await callText(db, alarm, act),
    count: before?.count ?? 1,
    who: (await names.of(actor)) ?? actor,
    comment: null,
  };
}

/** "limit = 185 (confirmed)": what became of it is known of the last value that was set. */
async function setText(db: Reader, alarm: AlarmRow, { detail }: DeviceAct): Promise<string> {
  const { property = "", value = null, version = 0 } = detail;
  const found = await db
    .selectFrom("desired")
    .select(["state", "reason"])
    .where("tenant_uid", "=", alarm.tenant_uid)
    .where("device_uid", "=", alarm.device_uid ?? "")
    .where("property", "=", property)
    .where("version", "=", version)
    .executeTakeFirst();
  const text = `${property} = ${typeof value === "string" ? value : JSON.stringify(value)}`.slice(0, 500);
  return found === undefined ? text : `${text} (${outcome(found)})`;
}

async function callText(db: Reader, alarm: AlarmRow, { detail }: DeviceAct): Promise<string> {
  const given = Object.entries(detail.arguments ?? {}).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  const text = `${detail.method}(${given.join(", ")})`.slice(0, 500);
  const found = await db
    .selectFrom("device_calls")
    .select(["state", "reason"])
    .where("id", "=", detail.call ?? "")
    .where("tenant_uid", "=", alarm.tenant_uid)
    .executeTakeFirst();
  return found === undefined ? text : `${text} (${outcome(found)})`;
}

function outcome({ state, reason }: { readonly state: string; readonly reason: string | null }): string {
  return reason === null ? state : `${state}, ${reason}`;
}
