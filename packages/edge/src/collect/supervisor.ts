import type { ErrorCode } from "@penstock/model";
import { mapperProtocol } from "@penstock/wire";

/** What is known of one mapper's process. Times are milliseconds of a monotonic clock. */
export interface SupervisorState {
  readonly phase: "stopped" | "finding" | "missing" | "starting" | "running" | "killing" | "backing-off" | "stopping";
  /** some connection needs it */
  readonly isWanted: boolean;
  readonly since: number;
  readonly pid: number | null;
  readonly starts: number;
  /** deaths in a row without a long run between them */
  readonly failures: number;
  readonly reason: ErrorCode | null;
  readonly message: string | null;
  /** ping that waits for its pong */
  readonly ping: { readonly n: number; readonly sentAt: number } | null;
  readonly nextPing: { readonly n: number; readonly at: number };
  readonly tickedAt: number;
}

export type SupervisorInput =
  | { readonly t: "want"; readonly isWanted: boolean }
  | { readonly t: "found"; readonly missing: { readonly code: ErrorCode; readonly message: string } | null }
  | { readonly t: "started"; readonly pid: number | null }
  | { readonly t: "hello"; readonly protocol: { readonly min: number; readonly max: number } }
  | { readonly t: "pong"; readonly n: number }
  /** the pipe closed, or what came through it was not the protocol */
  | { readonly t: "broken"; readonly message: string }
  | { readonly t: "exited"; readonly message: string }
  | { readonly t: "tick" };

export type SupervisorEffect =
  | { readonly t: "find" | "spawn" | "stop" | "kill" }
  | { readonly t: "ping"; readonly n: number }
  /** open connections and groups */
  | { readonly t: "up" }
  | { readonly t: "down"; readonly code: ErrorCode; readonly message: string };

export type SupervisorStep = readonly [state: SupervisorState, effects: readonly SupervisorEffect[]];

/**
 * A mapper whose process is there and answers nothing is found out, and its devices are offline with `mapper/stopped`,
 * within `pingEveryMs + pongWithinMs`: less than 3 s, with room for late timers. A process that ends is known at once.
 */
export const supervision = {
  helloWithinMs: 10_000,
  pingEveryMs: 500,
  /** a mapper that has not answered a ping for so long hangs, and is killed */
  pongWithinMs: 2300,
  /** between two ticks of a running mapper: an agent that was away for so long did not hear what the mapper said */
  stoodStillMs: 1000,
  stopWithinMs: 3000,
  restartAfterMs: 250,
  restartAtMostMs: 30_000,
  /** a run this long forgives earlier deaths */
  longRunMs: 30_000,
  findEveryMs: 10_000,
} as const;

export const notStarted: SupervisorState = {
  phase: "stopped",
  isWanted: false,
  since: 0,
  pid: null,
  starts: 0,
  failures: 0,
  reason: null,
  message: null,
  ping: null,
  nextPing: { n: 1, at: 0 },
  tickedAt: 0,
};

/** Keeps one process per mapper: pure, so that every order of events can be played. */
export function supervise(state: SupervisorState, input: SupervisorInput, now: number): SupervisorStep {
  switch (input.t) {
    case "want":
      return want({ ...state, isWanted: input.isWanted }, now);
    case "found":
      if (state.phase !== "finding") return [state, []];
      if (input.missing === null)
        return [{ ...state, phase: "starting", since: now, starts: state.starts + 1 }, [spawn]];
      return [
        { ...state, phase: "missing", since: now, reason: input.missing.code, message: input.missing.message },
        [{ t: "down", ...input.missing }],
      ];
    case "started":
      return [{ ...state, pid: input.pid }, []];
    case "hello":
      return hello(state, input.protocol, now);
    case "pong":
      return [state.ping?.n === input.n ? { ...state, ping: null } : state, []];
    case "broken":
      return state.phase === "starting" || state.phase === "running"
        ? killed(state, "mapper/stopped", input.message, now)
        : [state, []];
    case "exited":
      return exited({ ...state, pid: null }, input.message, now);
    case "tick":
      return tick(state, now);
  }
}

/** When the next "tick" is due; null = nothing is awaited. */
export function supervisorWakesAt(state: SupervisorState): number | null {
  switch (state.phase) {
    case "starting":
      return state.since + supervision.helloWithinMs;
    case "running":
      return Math.min(state.nextPing.at, state.ping === null ? Infinity : state.ping.sentAt + supervision.pongWithinMs);
    case "stopping":
      return state.since + supervision.stopWithinMs;
    case "backing-off":
      return state.since + backOff(state.failures);
    case "missing":
      return state.since + supervision.findEveryMs;
    default:
      return null;
  }
}

const spawn = { t: "spawn" } as const;
const find = { t: "find" } as const;
const kill = { t: "kill" } as const;

function want(state: SupervisorState, now: number): SupervisorStep {
  if (state.isWanted && state.phase === "stopped") return [{ ...state, phase: "finding", since: now }, [find]];
  if (state.isWanted) return [state, []];
  switch (state.phase) {
    case "starting":
    case "running":
      return [{ ...state, phase: "stopping", since: now, ping: null }, [{ t: "stop" }]];
    case "finding":
    case "missing":
    case "backing-off":
      return [{ ...state, phase: "stopped", since: now, reason: null, message: null }, []];
    default:
      return [state, []];
  }
}

function hello(
  state: SupervisorState,
  theirs: { readonly min: number; readonly max: number },
  now: number,
): SupervisorStep {
  if (state.phase !== "starting") return [state, []];
  if (theirs.min > mapperProtocol.max || theirs.max < mapperProtocol.min) {
    const [their, our] = [`${theirs.min}..${theirs.max}`, `${mapperProtocol.min}..${mapperProtocol.max}`];
    return killed(state, "mapper/wrong-version", `It speaks mapper protocol ${their}, the agent ${our}`, now);
  }
  const nextPing = { n: state.nextPing.n, at: now + supervision.pingEveryMs };
  const running = { ...state, phase: "running", since: now, tickedAt: now, ping: null, nextPing } as const;
  return [{ ...running, reason: null, message: null }, [{ t: "up" }]];
}

/** It is told dead at once; a new one starts only after the exit, since two processes on one serial line would both fail. */
function killed(state: SupervisorState, code: ErrorCode, message: string, now: number): SupervisorStep {
  const failures = failuresAfter(state, now);
  const dead = { ...state, phase: "killing", since: now, failures, ping: null, reason: code, message } as const;
  return [dead, [kill, { t: "down", code, message }]];
}

function exited(state: SupervisorState, message: string, now: number): SupervisorStep {
  switch (state.phase) {
    case "starting":
    case "running": {
      const failures = failuresAfter(state, now);
      const reason = "mapper/stopped";
      const dead = { ...state, phase: "backing-off", since: now, failures, ping: null, reason, message } as const;
      return [dead, [{ t: "down", code: reason, message }]];
    }
    case "killing":
      if (state.isWanted) return [{ ...state, phase: "backing-off", since: now }, []];
      return [{ ...state, phase: "stopped", since: now, reason: null, message: null }, []];
    case "stopping": {
      const stopped = { ...state, phase: "stopped", since: now, reason: null, message: null } as const;
      return want(stopped, now);
    }
    default:
      return [state, []];
  }
}

function tick(state: SupervisorState, now: number): SupervisorStep {
  const wakesAt = supervisorWakesAt(state);
  if (wakesAt === null || now < wakesAt) return [state, []];
  switch (state.phase) {
    case "starting":
      return killed(state, "mapper/stopped", `It said no hello within ${supervision.helloWithinMs} ms`, now);
    case "running":
      return tickRunning(state, now);
    case "stopping":
      return [{ ...state, phase: "killing", since: now }, [kill]];
    case "backing-off":
    case "missing":
      return [{ ...state, phase: "finding", since: now }, [find]];
    default:
      return [state, []];
  }
}

function tickRunning(state: SupervisorState, now: number): SupervisorStep {
  // When we ourselves stood still, the pong may lie unread in the pipe: the mapper gets its time again.
  const stoodStill = now - state.tickedAt > supervision.stoodStillMs;
  const ping = state.ping !== null && stoodStill ? { ...state.ping, sentAt: now } : state.ping;
  const ticked = { ...state, tickedAt: now, ping };
  if (ping !== null && now - ping.sentAt >= supervision.pongWithinMs) {
    return killed(ticked, "mapper/stopped", `It answered no ping for ${supervision.pongWithinMs} ms`, now);
  }
  if (now < state.nextPing.at) return [ticked, []];
  const { n } = state.nextPing;
  const nextPing = { n: n + 1, at: now + supervision.pingEveryMs };
  if (ping !== null) return [{ ...ticked, nextPing: { ...nextPing, n } }, []];
  return [{ ...ticked, ping: { n, sentAt: now }, nextPing }, [{ t: "ping", n }]];
}

function failuresAfter(state: SupervisorState, now: number): number {
  const wasLong = state.phase === "running" && now - state.since >= supervision.longRunMs;
  return wasLong ? 1 : state.failures + 1;
}

function backOff(failures: number): number {
  const { restartAfterMs, restartAtMostMs } = supervision;
  return Math.min(restartAtMostMs, restartAfterMs * 2 ** Math.min(Math.max(0, failures - 1), 20));
}
