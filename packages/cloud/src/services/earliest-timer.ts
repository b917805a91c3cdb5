import type { Cancel } from "@penstock/runtime";
import type { ServiceContext } from "./context.ts";

/** One timer for the earliest of many times; what is then due is worked off one run after the other. */
export interface EarliestTimer {
  /** @param at  microseconds since 1970; a later one than what is set changes nothing */
  schedule(at: number): void;
  /** resolves when nothing runs any more */
  close(): Promise<void>;
}

const retryMicros = 60_000_000;
const longestMs = 24 * 3600 * 1000;

/**
 * @param of.due  does what is due, then schedules the next time; may be called when nothing is due
 * @param of.failed  what the log says when that could not be done; it is tried again in a minute
 */
export function createEarliestTimer(
  { clock, log }: Pick<ServiceContext, "clock" | "log">,
  of: { readonly failed: string; due(): Promise<void> },
): EarliestTimer {
  let timer: { at: number; cancel: Cancel } | null = null;
  let running: Promise<void> = Promise.resolve();
  let isClosed = false;

  function schedule(at: number): void {
    if (isClosed || (timer !== null && timer.at <= at)) return;
    timer?.cancel();
    const delayMs = Math.min(Math.max(1, Math.ceil((at - clock.now()) / 1000)), longestMs);
    timer = {
      at,
      cancel: clock.after(delayMs, () => {
        timer = null;
        running = running.then(of.due).catch((error: unknown) => {
          log.error({ error: String(error) }, of.failed);
          schedule(clock.now() + retryMicros);
        });
      }),
    };
  }
  return {
    schedule,
    async close() {
      isClosed = true;
      timer?.cancel();
      await running;
    },
  };
}
