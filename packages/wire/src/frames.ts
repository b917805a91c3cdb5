import { AppError, limits } from "@penstock/model";
import { pack, unpack } from "./pack.ts";

/**
 * One WebSocket binary message: MessagePack array [lane, n, more, part]. `n` counts the frames of a lane from 0 in each
 * session and direction; `more` is 1 when the message goes on in the lane's next frame. Further elements are ignored, so
 * that a later version may add some.
 */
export interface Frame {
  readonly lane: number;
  readonly n: number;
  readonly more: boolean;
  readonly part: Uint8Array;
  /** elements of a later version, ignored here and counted by the caller */
  readonly unknownFields: number;
}

/** What a frame costs beside its part: array, three small integers, bin header. */
export const frameOverheadBytes = 16;
export const framePartBytes = limits.frameBytes - frameOverheadBytes;

export function encodeFrame(frame: Omit<Frame, "unknownFields">): Uint8Array {
  if (frame.part.length > framePartBytes) {
    throw new AppError(
      "link/frame-too-large",
      `Cannot encode frame: part has ${frame.part.length} bytes, limit ${framePartBytes}`,
    );
  }
  return pack([frame.lane, frame.n, frame.more ? 1 : 0, frame.part]);
}

/** @throws AppError link/frame-too-large, link/bad-frame */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length > limits.frameBytes) {
    throw new AppError(
      "link/frame-too-large",
      `Cannot decode frame: ${bytes.length} bytes, limit ${limits.frameBytes}`,
    );
  }
  const value = unpackOrThrow(bytes, "frame");
  if (!Array.isArray(value) || value.length < 4)
    throw new AppError("link/bad-frame", "Cannot decode frame: not an array of 4");
  const [lane, n, more, part] = value as unknown[];
  if (!isCount(lane) || lane >= 256)
    throw new AppError("link/bad-frame", `Cannot decode frame: lane ${String(lane)}: wanted 0..255`);
  if (!isCount(n)) throw new AppError("link/bad-frame", "Cannot decode frame: n is not a counter");
  if (more !== 0 && more !== 1) throw new AppError("link/bad-frame", "Cannot decode frame: more is neither 0 nor 1");
  if (!(part instanceof Uint8Array)) throw new AppError("link/bad-frame", "Cannot decode frame: part is not bytes");
  return { lane, n, more: more === 1, part, unknownFields: value.length - 4 };
}

export interface AnyMessage {
  readonly t: string;
  readonly [key: string]: unknown;
}

export function encodeMessage(message: { readonly t: string }): Uint8Array {
  return pack(message);
}

/** Checks the envelope only: a map with a text `t`. @throws AppError link/bad-frame */
export function decodeMessage(bytes: Uint8Array): AnyMessage {
  const value = unpackOrThrow(bytes, "message");
  if (
    typeof value !== "object" ||
    value === null ||
    Array.isArray(value) ||
    typeof (value as { t?: unknown }).t !== "string"
  ) {
    throw new AppError("link/bad-frame", "Cannot decode message: not a map with a text t");
  }
  return value as AnyMessage;
}

function unpackOrThrow(bytes: Uint8Array, what: string): unknown {
  try {
    return unpack(bytes);
  } catch (cause) {
    throw new AppError("link/bad-frame", `Cannot decode ${what}: not MessagePack`, { cause });
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
