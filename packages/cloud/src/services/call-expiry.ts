import { type CallRow, openCallStates } from "./call-news.ts";
import type { ServiceContext } from "./context.ts";
import { createEarliestTimer } from "./earliest-timer.ts";

/** The gateway ends a call by the same time; its word needs a moment to arrive. */
const graceMicros = 2_000_000;

/**
 * Ends calls whose time is over: expired where nothing has gone to the gateway, unknown where it may have. One timer, for the
 * earliest; it is set again from the store after a restart.
 */
export function createCallExpiry(context: ServiceContext, onEnded: (rows: readonly CallRow[]) => void) {
  const { db, clock } = context;
  const timer = createEarliestTimer(context, {
    failed: "Calls could not be ended; tried again in a minute",
    due: expire,
  });

  async function scheduleNext(): Promise<void> {
    const open = await db
      .selectFrom("device_calls")
      .select(["expires_at", "offered_at"])
      .where("state", "in", openCallStates)
      .orderBy("expires_at")
      .limit(1000)
      .execute();
    const times = open.map(({ expires_at, offered_at }) => expires_at + (offered_at === null ? 0 : graceMicros));
    if (times.length > 0) timer.schedule(Math.min(...times));
  }

  async function expire(): Promise<void> {
    const now = clock.now();
    const rows = await db.transaction().execute(async (trx) => {
      const open = trx.updateTable("device_calls").where("state", "in", openCallStates);
      const expired = await open
        .set({
          ...{ state: "expired", reason: "twin/expired", ended_at: now },
          message: "The gateway was not connected in its time; nothing went to it",
        })
        .where("offered_at", "is", null)
        .where("expires_at", "<=", now)
        .returningAll()
        .execute();
      const unknown = await open
        .set({
          ...{ state: "unknown", reason: "twin/outcome-unknown", ended_at: now },
          message: "It went to the gateway, which was not heard of in its time; it may have been carried out",
        })
        .where("offered_at", "is not", null)
        .where("expires_at", "<=", now - graceMicros)
        .returningAll()
        .execute();
      return [...expired, ...unknown];
    });
    onEnded(rows);
    await scheduleNext();
  }

  return { schedule: timer.schedule, start: scheduleNext, close: timer.close };
}
