import { addRange, holds, missingFrom, type OutboxEntry, type Ranges } from "@penstock/model";
import { decideCompression } from "./compress.ts";
import { type InFlight, readingsMessage } from "./readings-message.ts";
import type { EdgeEffect, EdgeSession, EdgeStep } from "./session-state.ts";
import { windowAcked, windowRoom, windowSent } from "./window.ts";

/** Of the messages sent while both lanes wait, every eighth is backlog: it keeps a share even when live fills the line. */
const liveInARowBound = 7;
/** Bodies of one message; longer ones would only make the first reading in them wait for the last. */
const messageBodiesBytes = 131_072;

type ReadingLane = InFlight["lane"];

/** Asks the outbox for what goes next, if the window and the lane's credit leave room. One read at a time. */
export function pump(state: EdgeSession, now: number): EdgeStep {
  if (state.phase !== "open" || state.reading !== null) return { state, effects: [] };
  const live = nextSeq(state, "live");
  const backlog = nextSeq(state, "backlog");
  if (live === null && backlog === null) return { state, effects: [] };
  const room = windowRoom(state.window);
  const compression = decideCompression(state.compression, { isFull: room <= 0, rate: state.window.rate, now });
  const fed = compression === state.compression ? state : { ...state, compression };
  if (room <= 0) return { state: fed, effects: [] };
  const liveRoom = live === null ? 0 : creditRoom(fed, "live");
  const backlogRoom = backlog === null ? 0 : creditRoom(fed, "backlog");
  const isBacklogsTurn = backlogRoom > 0 && (liveRoom <= 0 || fed.liveInARow >= liveInARowBound);
  const lane: ReadingLane = isBacklogsTurn ? "backlog" : "live";
  const laneRoom = isBacklogsTurn ? backlogRoom : liveRoom;
  if (laneRoom <= 0) return { state: fed, effects: [] };
  return {
    state: { ...fed, reading: lane, liveInARow: lane === "backlog" || backlog === null ? 0 : fed.liveInARow + 1 },
    // One of the two is not null: its lane has room.
    effects: [
      {
        t: "read",
        lane,
        from: (lane === "live" ? live : backlog)!,
        maxBytes: Math.min(room, laneRoom, messageBodiesBytes),
      },
    ],
  };
}

/** Sends what the outbox gave for a lane, leaving out what is not the lane's or is committed already. */
export function sendEntries(
  state: EdgeSession,
  options: { lane: ReadingLane; entries: readonly OutboxEntry[]; now: number },
): EdgeStep {
  const { lane, now } = options;
  const end = lane === "live" ? Number.MAX_SAFE_INTEGER : state.hello.highest;
  const ofLane = options.entries.filter((entry) => entry.firstSeq <= end);
  const last = ofLane.at(-1);
  // Nothing left of what was asked for: it was dropped or has been acknowledged meanwhile.
  const next = last === undefined ? (lane === "live" ? state.durable : end) + 1 : last.firstSeq + last.count;
  let rest = ofLane.filter((entry) => !holds(state.held, entry.firstSeq, entry.firstSeq + entry.count - 1));
  let current: EdgeSession = { ...state, reading: null, next: { ...state.next, [lane]: next } };
  const effects: EdgeEffect[] = [];
  while (rest.length > 0) {
    const { message, sent, newLayouts } = readingsMessage({
      entries: rest,
      lane,
      layoutsSent: current.layoutsSent[lane],
      boot: current.boot,
      compress: current.compression.isOn,
    });
    rest = rest.slice(sent.length);
    effects.push({ t: "send", lane, message });
    current = {
      ...current,
      inFlight: [...current.inFlight, ...sent],
      progressAt: current.inFlight.length === 0 ? now : current.progressAt,
      window: windowSent(current.window, weightOf(sent), now),
      layoutsSent:
        newLayouts.length === 0
          ? current.layoutsSent
          : { ...current.layoutsSent, [lane]: new Set([...current.layoutsSent[lane], ...newLayouts]) },
      sent: Math.max(current.sent, sent.at(-1)?.to ?? 0),
    };
  }
  const pumped = pump(current, now);
  return { state: pumped.state, effects: [...effects, ...pumped.effects] };
}

/** The cloud has committed these: they leave window, credit and outbox. */
export function takeAck(state: EdgeSession, ranges: Ranges, now: number): EdgeStep {
  const held = ranges.reduce<Ranges>((sum, [from, to]) => addRange(sum, from, to), state.held);
  const inFlight = state.inFlight.filter((entry) => !holds(held, entry.from, entry.to));
  const acked = weightOf(state.inFlight) - weightOf(inFlight);
  const pumped = pump(
    {
      ...state,
      held,
      inFlight,
      progressAt: acked > 0 ? now : state.progressAt,
      window: acked > 0 ? windowAcked(state.window, acked, now) : state.window,
    },
    now,
  );
  return { state: pumped.state, effects: [{ t: "acknowledge", ranges }, ...pumped.effects] };
}

/**
 * Tells the cloud when the full policy or age removed what it never got. Waits while something below is still under way:
 * that may yet arrive, and a gap is for good.
 */
export function tellDropped(state: EdgeSession, lowest: number): EdgeStep {
  if (lowest <= state.toldLowest || state.reading !== null) return { state, effects: [] };
  if (state.inFlight.some((entry) => entry.from < lowest)) return { state, effects: [] };
  const isGap = missingFrom(state.held, state.toldLowest, lowest - 1).length > 0;
  return {
    state: { ...state, toldLowest: lowest, held: addRange(state.held, 0, lowest - 1) },
    effects: isGap ? [{ t: "send", lane: "control", message: { t: "dropped", lowest } }] : [],
  };
}

function nextSeq(state: EdgeSession, lane: ReadingLane): number | null {
  const next = state.next[lane];
  if (lane === "live") return next <= state.durable ? next : null;
  const range = state.backlog.find(([, to]) => to >= next);
  return range === undefined ? null : Math.max(next, range[0]);
}

function creditRoom(state: EdgeSession, lane: ReadingLane): number {
  const used = weightOf(state.inFlight.filter((entry) => entry.lane === lane));
  return Math.max(used === 0 && state.credit[lane] > 0 ? 1 : 0, state.credit[lane] - used);
}

function weightOf(entries: readonly InFlight[]): number {
  return entries.reduce((sum, entry) => sum + entry.bytes, 0);
}
