import { AppError, codeOf, type ErrorCode } from "@penstock/model";
import { sleep } from "@penstock/runtime";
import { afterSession, nextDelay, noBackOff } from "./back-off.ts";
import type { BootOffset } from "./correct-time.ts";
import { linkMetrics } from "./link-metrics.ts";
import type { LinkOptions } from "./link-options.ts";
import { runEdgeSession, type SessionEnd } from "./run-session.ts";

export interface LinkState {
  readonly phase: "connecting" | "connected" | "waiting" | "closed";
  /** why the last attempt or session ended */
  readonly code: ErrorCode | null;
  readonly message: string | null;
}
export interface Link {
  state(): LinkState;
  close(): Promise<void>;
}

/**
 * Keeps the gateway connected: dial, one session until it ends, wait, again. Readings leave the outbox when the cloud has
 * committed them, not before, so nothing here needs to be kept across sessions but the offset of the clock.
 */
export function createLink(options: LinkOptions): Link {
  const { clock, log } = options;
  const stop = new AbortController();
  const metrics = linkMetrics(options.metrics);
  let state: LinkState = { phase: "connecting", code: null, message: null };
  let boot: BootOffset | null = null;
  let sent = 0;
  let epoch = options.outbox.bounds().epoch;

  async function attempt(): Promise<SessionEnd> {
    const transport = await options.dial(stop.signal);
    return runEdgeSession({
      ...options,
      transport,
      stats: metrics,
      bootOffset: boot,
      sent,
      signal: stop.signal,
      onWelcome(offset) {
        boot ??= offset;
        metrics.connected.set(1);
        state = { phase: "connected", code: null, message: null };
      },
    });
  }

  async function run(): Promise<void> {
    let backOff = noBackOff;
    while (!stop.signal.aborted) {
      state = { ...state, phase: "connecting" };
      const began = clock.monotonic();
      try {
        const end = await attempt();
        sent = options.outbox.bounds().epoch === epoch ? end.sent : 0;
        epoch = options.outbox.bounds().epoch;
        state = { phase: "waiting", code: end.code, message: end.message };
      } catch (error) {
        state = {
          phase: "waiting",
          code: codeOf(error),
          message: error instanceof Error ? error.message : String(error),
        };
        if (codeOf(error) === "internal" && !stop.signal.aborted) log.error({ err: error }, "Link attempt failed");
      }
      metrics.connected.set(0);
      if (stop.signal.aborted) break;
      backOff = afterSession(backOff, clock.monotonic() - began);
      const next = nextDelay(backOff, options.random.number());
      backOff = next.state;
      metrics.reconnects.add();
      log.info({ code: state.code, reason: state.message, delayMs: next.delayMs }, "Link is down, waiting to connect");
      await sleep(clock, next.delayMs, stop.signal).catch(() => undefined);
    }
  }

  const running = run();
  return {
    state: () => state,
    async close() {
      stop.abort(new AppError("link/closed", "Link is closed: the agent stops"));
      await running;
      state = { phase: "closed", code: null, message: null };
    },
  };
}
