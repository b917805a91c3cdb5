import { createHmac } from "node:crypto";
import { type AlarmNotify, formatMicros, limits, type Micros, type RuleSpec } from "@penstock/model";
import type { Selectable } from "kysely";
import type { AlarmNoticesTable } from "../state-schema.ts";
import { alarmId } from "./alarm-view.ts";
import type { CheckingContext, Trx } from "./context.ts";
import { createEarliestTimer } from "./earliest-timer.ts";
import type { Row } from "./resource-rows.ts";
import type { RuleAlarmNews } from "./rule-alarms.ts";

/** How messages leave the cloud; main.ts hands it in. Each rejects when the other end has not taken the message. */
export interface Notifier {
  /** one POST; any answer but 2xx is a refusal */
  post(request: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }): Promise<void>;
  mail(message: { readonly to: readonly string[]; readonly subject: string; readonly text: string }): Promise<void>;
}

/** Where a target stands in its rule: never its secret, which is read when the message goes. */
interface Target {
  readonly rule: string;
  readonly alarm: string;
  /** null: of the alarm itself; else the step of escalation, from 0 */
  readonly step: number | null;
  readonly index: number;
}
interface Body {
  readonly alarm: string;
  readonly node: string;
  readonly transition: Readonly<Record<string, unknown>>;
}
type Notice = Selectable<AlarmNoticesTable>;

const firstPauseMs = 5_000;
const longestPauseMs = 3_600_000;
/** some eight hours */
const attemptsMost = 16;
const atOnce = 16;

/**
 * Tells people and programs about alarms of rules: webhooks and e-mail. A message is stored with the transition that it is
 * about, in one transaction; it is tried again with growing pauses, and may come twice where an answer was lost: its
 * `penstock-delivery` tells.
 */
export function createAlarmNotices(context: CheckingContext, notifier: Notifier) {
  const { db, clock, log, metrics, secrets } = context;
  const sent = metrics.counter("penstock_services_alarm_notices_total", "Messages about alarms that were taken");
  const dropped = metrics.counter(
    "penstock_services_alarm_notices_dropped_total",
    "Messages about alarms given up: nobody took them in time, or too many waited",
  );
  const timer = createEarliestTimer(context, { failed: "Messages about alarms wait; tried again in a minute", due });

  async function ruleOf(trx: Pick<CheckingContext["db"], "selectFrom">, tenant: string, rule: string) {
    const row = await trx
      .selectFrom("resources")
      .selectAll()
      .where("tenant_uid", "=", tenant)
      .where("kind", "=", "Rule")
      .where("uid", "=", rule)
      .where("deleted_at", "is", null)
      .executeTakeFirst();
    return row === undefined ? null : secrets.open<RuleSpec>(row as Row);
  }

  async function due(): Promise<void> {
    for (;;) {
      const found = db.selectFrom("alarm_notices").selectAll().where("due_at", "<=", clock.now());
      const notices = await found.orderBy("due_at").limit(atOnce).execute();
      if (notices.length === 0) break;
      const results = await Promise.all(notices.map(deliver));
      for (const [i, isOver] of results.entries()) await settle(notices[i]!, isOver);
    }
    await scheduleNext();
  }

  /** @returns true: taken, or there is nobody any more who wants it */
  async function deliver(notice: Notice): Promise<boolean> {
    const target = JSON.parse(notice.target) as Target;
    const spec = await ruleOf(db, notice.tenant_uid, target.rule);
    const to = spec === null ? undefined : notifiesOf(spec, target.alarm, target.step)[target.index];
    if (to === undefined) return true;
    try {
      if (to.webhook !== undefined) await notifier.post(requestOf(to.webhook, notice));
      if (to.email !== undefined) await notifier.mail({ to: to.email.to, ...mailOf(JSON.parse(notice.body) as Body) });
      sent.add();
      return true;
    } catch (error) {
      const { id, attempts } = notice;
      const reason = error instanceof Error ? error.message : String(error);
      log.warn(
        { stage: "services", notice: id, attempts: attempts + 1, reason },
        "A message about an alarm was not taken",
      );
      return false;
    }
  }

  async function settle(notice: Notice, isOver: boolean): Promise<void> {
    const attempts = notice.attempts + 1;
    if (isOver || attempts >= attemptsMost) {
      if (!isOver) dropped.add();
      await db.deleteFrom("alarm_notices").where("id", "=", notice.id).execute();
      return;
    }
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempts - 1));
    const due_at = clock.now() + pauseMs * 1000;
    await db.updateTable("alarm_notices").set({ attempts, due_at }).where("id", "=", notice.id).execute();
  }

  async function scheduleNext(): Promise<void> {
    const next = await db.selectFrom("alarm_notices").select("due_at").orderBy("due_at").limit(1).executeTakeFirst();
    if (next !== undefined) timer.schedule(next.due_at);
  }

  return {
    start: scheduleNext,
    close: () => timer.close(),
    /** Stores what somebody is to hear, in the transaction of the transition itself. */
    async onNews(trx: Trx, { identity, transition, row }: RuleAlarmNews): Promise<void> {
      const { kind, rule, alarm, escalated } = transition;
      const isTold = kind === "raised" || kind === "escalated" || kind === "cleared";
      // Shelved is out of sight.
      if (!isTold || row.shelved_at !== null) return;
      const spec = await ruleOf(trx, identity.tenant, rule);
      if (spec === null) return;
      // Who was told that it stands is told that it is over.
      const steps = Array.from({ length: escalated }, (_, step) => step);
      const of = kind === "raised" ? [null] : kind === "escalated" ? [escalated - 1] : [null, ...steps];
      const now = clock.now();
      const body = JSON.stringify(bodyOf({ identity, transition, row }));
      const notices = of.flatMap((step) =>
        notifiesOf(spec, alarm, step).map((_, index) => ({
          ...{ tenant_uid: identity.tenant, body, attempts: 0, due_at: now, created_at: now },
          target: JSON.stringify({ rule, alarm, step, index } satisfies Target),
        })),
      );
      if (notices.length === 0) return;
      await trx.insertInto("alarm_notices").values(notices).execute();
      dropped.add(await tooMany(trx, identity.tenant));
      timer.schedule(now);
    },
  };
}
export type AlarmNotices = ReturnType<typeof createAlarmNotices>;

/** Beyond the bound the oldest go. */
async function tooMany(trx: Trx, tenant: string): Promise<number> {
  const beyond = await trx
    .selectFrom("alarm_notices")
    .select("id")
    .where("tenant_uid", "=", tenant)
    .orderBy("id", "desc")
    .offset(limits.alarmNotices)
    .limit(1)
    .executeTakeFirst();
  if (beyond === undefined) return 0;
  const gone = trx.deleteFrom("alarm_notices").where("tenant_uid", "=", tenant).where("id", "<=", beyond.id);
  return Number((await gone.executeTakeFirst()).numDeletedRows);
}

function notifiesOf({ actions }: RuleSpec, name: string, step: number | null): readonly AlarmNotify[] {
  const alarm = actions.find((action) => action.alarm?.name === name)?.alarm;
  return (step === null ? alarm?.notify : alarm?.escalate?.[step]?.notify) ?? [];
}

function bodyOf({ identity, transition, row }: RuleAlarmNews): Body {
  const { kind, time, ruleName, alarm, key, severity, message, state, count } = transition;
  return {
    ...{ alarm: alarmId(row.id), node: identity.node },
    transition: {
      ...{ kind, time: formatMicros(time), rule: ruleName, alarm, key, severity, state, message, count },
      raisedAt: formatMicros(row.raised_at as Micros),
    },
  };
}

/** @source RFC 2104 (HMAC); the header is in the form that GitHub's webhooks made common */
function requestOf({ url, secret }: NonNullable<AlarmNotify["webhook"]>, { id, body }: Notice) {
  const signature = secret === undefined ? null : createHmac("sha256", secret).update(body).digest("hex");
  const headers = {
    ...{ "content-type": "application/json", "penstock-event": "alarm", "penstock-delivery": String(id) },
    ...(signature !== null && { "penstock-signature": `sha256=${signature}` }),
  };
  return { url, headers, body };
}

function mailOf({ alarm, transition: t }: Body): { subject: string; text: string } {
  const lines = Object.entries(t).map(([name, value]) => `${name}: ${String(value)}`);
  return {
    subject: `[${String(t.severity)}] ${String(t.rule)}/${String(t.alarm)} ${String(t.kind)}: ${String(t.message)}`
      .replaceAll(/\s+/g, " ")
      .slice(0, 200),
    text: `${lines.join("\n")}\nid: ${alarm}\n`,
  };
}
