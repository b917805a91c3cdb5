import { type DeviceSpec, mergeDevice } from "@penstock/model";
import type { ServiceContext, Trx } from "./context.ts";
import { type DesiredNews, type DesiredRow, unfinished } from "./desired-news.ts";
import { createEarliestTimer } from "./earliest-timer.ts";
import { modelOf } from "./model-versions.ts";
import { specOf } from "./resource-rows.ts";

/** Far beyond any time to live: the end of what Micros holds exactly. */
const never = Number.MAX_SAFE_INTEGER;

const ended = "The time to live ended before the value was confirmed";

/** Ends what was not confirmed in its time. One timer, for the earliest; it is set again from the store after a restart. */
export function createDesiredExpiry(context: ServiceContext, news: DesiredNews) {
  const { db, clock } = context;
  const expiries = context.metrics.counter("penstock_services_desired_expired_total", "Desired values that expired");
  const timer = createEarliestTimer(context, {
    failed: "Desired values could not be expired; tried again in a minute",
    due: expire,
  });

  async function scheduleNext(): Promise<void> {
    const next = await db
      .selectFrom("desired")
      .select(db.fn.min("expires_at").as("at"))
      .where("state", "in", unfinished)
      .executeTakeFirst();
    if (next?.at != null && Number(next.at) !== never) timer.schedule(Number(next.at));
  }
  async function expire(): Promise<void> {
    const now = clock.now();
    const rows = await db.transaction().execute(async (trx) => {
      const due = await trx
        .selectFrom("desired")
        .selectAll()
        .where("state", "in", unfinished)
        .where("expires_at", "<=", now)
        .execute();
      const expired: DesiredRow[] = [];
      for (const row of due) {
        const change =
          row.state === "written" && (await isWriteOnly(trx, row))
            ? { expires_at: never }
            : {
                ...{ state: "expired", reason: "twin/expired", message: await whyExpired(trx, row) },
                ...{ updated_at: now, ended_at: now },
              };
        const after = await trx
          .updateTable("desired")
          .set(change)
          .where("tenant_uid", "=", row.tenant_uid)
          .where("device_uid", "=", row.device_uid)
          .where("property", "=", row.property)
          .returningAll()
          .executeTakeFirstOrThrow();
        if (after.state === "expired") expired.push(after);
      }
      return expired;
    });
    expiries.add(rows.length);
    await news.tell(rows);
    await scheduleNext();
  }

  return {
    /** something expires at this time; earlier ones stay on the timer */
    schedule: timer.schedule,
    /** Takes up what an earlier process accepted. */
    start: scheduleNext,
    close: timer.close,
  };
}

async function whyExpired(trx: Trx, row: DesiredRow): Promise<string> {
  const hold = await trx
    .selectFrom("holds")
    .select("holder")
    .where("tenant_uid", "=", row.tenant_uid)
    .where("device_uid", "=", row.device_uid)
    .where("property", "=", row.property)
    .executeTakeFirst();
  return hold === undefined ? ended : `${ended}: ${hold.holder} holds the property at the gateway`;
}

/** A write-only value has its end at "written", which its row cannot say; asked only when its time is over. */
async function isWriteOnly(trx: Trx, row: DesiredRow): Promise<boolean> {
  const device = await trx.selectFrom("resources").selectAll().where("uid", "=", row.device_uid).executeTakeFirst();
  if (device === undefined) return false;
  const spec = specOf<DeviceSpec>(device);
  const model = await modelOf(trx, { tenant: row.tenant_uid, device: row.device_uid, spec });
  const merged = mergeDevice(model?.spec ?? null, spec);
  return merged.properties.get(row.property)?.access === "write";
}
