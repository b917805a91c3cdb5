import type { Cancel } from "@penstock/runtime";
import { type CallRow, openCallStates } from "./call-news.ts";
import type { ServiceContext } from "./context.ts";

/** The gateway ends a call by the same time; its word needs a moment to arrive. */
const graceMicros = 2_000_000;

/**
 * Ends calls whose time is over: expired where nothing has gone to the gateway, unknown where it may have. One timer, for the
 * earliest; it is set again from the store after a restart.
 */
export function createCallExpiry(context: ServiceContext, onEnded: (rows: readonly CallRow[]) => void) {
  const { db, clock, log } = context;
  let timer: { at: number; cancel: Cancel } | null = null;
  let running: Promise<void> = Promise.resolve();
  let isClosed = false;

  function schedule(at: number): void {
    if (isClosed || (timer !== null && timer.at <= at)) return;
    timer?.cancel();
    const delayMs = Math.min(Math.max(1, Math.ceil((at - clock.now()) / 1000)), 24 * 3600 * 1000);
    timer = {
      at,
      cancel: clock.after(delayMs, () => {
        timer = null;
        running = running.then(expire).catch((error: unknown) => {
          log.error({ error: String(error) }, "Calls could not be ended; tried again in a minute");
          schedule(clock.now() + 60_000_000);
        });
      }),
    };
  }

  async function scheduleNext(): Promise<void> {
    const open = await db
      .selectFrom("device_calls")
      .select(["expires_at", "offered_at"])
      .where("state", "in", openCallStates)
      .orderBy("expires_at")
      .limit(1000)
      .execute();
    const times = open.map(({ expires_at, offered_at }) => expires_at + (offered_at === null ? 0 : graceMicros));
    if (times.length > 0) schedule(Math.min(...times));
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

  return {
    schedule,
    start: scheduleNext,
    async close(): Promise<void> {
      isClosed = true;
      timer?.cancel();
      await running;
    },
  };
}
