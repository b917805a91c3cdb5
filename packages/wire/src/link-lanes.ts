import { AppError, limits } from "@penstock/model";
import { encodeFrame, type Frame, framePartBytes } from "./frames.ts";
import { type Lane, lanes } from "./messages.ts";

/** Every message of a lane in the order it was sent, once, whatever the line did to the frames. Pure. */
export interface LaneReceiver {
  readonly lanes: readonly LaneState[];
  /** longest message taken, in bytes; small until the hello is believed */
  readonly messageBytes: number;
  readonly counts: LaneCounts;
}
interface LaneState {
  /** n of the frame that comes next */
  readonly next: number;
  /** frames that came too early, by n */
  readonly early: ReadonlyMap<number, Frame>;
  readonly parts: readonly Uint8Array[];
  readonly partBytes: number;
}
export interface LaneCounts {
  readonly duplicates: number;
  readonly reordered: number;
  readonly unknownLanes: number;
  readonly unknownFields: number;
}
export interface LaneMessage {
  readonly lane: Lane;
  readonly bytes: Uint8Array;
}

/** Frames of one lane that may wait for the one before them: 1 MiB. Beyond it the line has lost one. */
export const earlyFramesBound = 64;

const laneNames = Object.keys(lanes) as Lane[];
const emptyLane: LaneState = { next: 0, early: new Map(), parts: [], partBytes: 0 };

export function newLaneReceiver(messageBytes: number = limits.messageBytes): LaneReceiver {
  return {
    lanes: laneNames.map(() => emptyLane),
    messageBytes,
    counts: { duplicates: 0, reordered: 0, unknownLanes: 0, unknownFields: 0 },
  };
}

/**
 * Takes one frame and gives the messages that it completes, oldest first.
 *
 * @throws AppError "link/bad-frame" when more than `earlyFramesBound` frames wait for a missing one,
 *   "link/frame-too-large" when a message grows beyond `messageBytes`; the session is over then
 */
export function receiveFrame(
  receiver: LaneReceiver,
  frame: Frame,
): { readonly receiver: LaneReceiver; readonly messages: readonly LaneMessage[] } {
  const name = laneNames[frame.lane];
  const lane = receiver.lanes[frame.lane];
  const fields = frame.unknownFields;
  if (name === undefined || lane === undefined)
    return { receiver: count(receiver, { unknownLanes: 1, unknownFields: fields }), messages: [] };
  if (frame.n < lane.next || lane.early.has(frame.n))
    return { receiver: count(receiver, { duplicates: 1, unknownFields: fields }), messages: [] };
  if (frame.n > lane.next) {
    if (lane.early.size >= earlyFramesBound)
      throw new AppError(
        "link/bad-frame",
        `Cannot go on with lane ${name}: frame ${lane.next} is missing and ${lane.early.size} wait for it`,
      );
    const waiting = { ...lane, early: new Map(lane.early).set(frame.n, frame) };
    return {
      receiver: count(replaceLane(receiver, frame.lane, waiting), { reordered: 1, unknownFields: fields }),
      messages: [],
    };
  }
  let { next, parts, partBytes } = lane;
  const early = new Map(lane.early);
  const messages: LaneMessage[] = [];
  for (let current: Frame | undefined = frame; current !== undefined; current = early.get(next)) {
    early.delete(next);
    next += 1;
    partBytes += current.part.length;
    if (partBytes > receiver.messageBytes)
      throw new AppError(
        "link/frame-too-large",
        `Cannot take message on lane ${name}: more than ${receiver.messageBytes} bytes`,
      );
    if (current.more) {
      parts = [...parts, current.part];
    } else {
      messages.push({ lane: name, bytes: parts.length === 0 ? current.part : joined([...parts, current.part]) });
      parts = [];
      partBytes = 0;
    }
  }
  const after = replaceLane(receiver, frame.lane, { next, early, parts, partBytes });
  return { receiver: fields === 0 ? after : count(after, { unknownFields: fields }), messages };
}

/**
 * Cuts a message into the frames of its lane.
 *
 * @param n counter of the lane's next frame
 * @throws AppError "link/frame-too-large" when the other end would refuse the message
 */
export function splitMessage(options: { lane: Lane; n: number; bytes: Uint8Array }): Uint8Array[] {
  const { lane, bytes } = options;
  if (bytes.length > limits.messageBytes)
    throw new AppError(
      "link/frame-too-large",
      `Cannot send message on lane ${lane}: ${bytes.length} bytes, limit ${limits.messageBytes}`,
    );
  const frames: Uint8Array[] = [];
  let n = options.n;
  let at = 0;
  do {
    const part = bytes.subarray(at, at + framePartBytes);
    at += part.length;
    frames.push(encodeFrame({ lane: lanes[lane], n, more: at < bytes.length, part }));
    n += 1;
  } while (at < bytes.length);
  return frames;
}

function replaceLane(receiver: LaneReceiver, at: number, lane: LaneState): LaneReceiver {
  return { ...receiver, lanes: receiver.lanes.with(at, lane) };
}

function count(receiver: LaneReceiver, more: Partial<LaneCounts>): LaneReceiver {
  const { counts } = receiver;
  return {
    ...receiver,
    counts: {
      duplicates: counts.duplicates + (more.duplicates ?? 0),
      reordered: counts.reordered + (more.reordered ?? 0),
      unknownLanes: counts.unknownLanes + (more.unknownLanes ?? 0),
      unknownFields: counts.unknownFields + (more.unknownFields ?? 0),
    },
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
