import { type AppError, codeOf } from "@penstock/model";
import { type AnyMessage, decodeFrame, decodeMessage, encodeMessage } from "./frames.ts";
import { type LaneCounts, newLaneReceiver, receiveFrame, splitMessage } from "./link-lanes.ts";
import type { Transport } from "./link-transport.ts";
import { type Lane, type LinkMessage, lanes } from "./messages.ts";

/**
 * Messages over a Transport. Control frames go out at once; those of other lanes only while less than `aheadBytes` wait
 * in the transport, a lower lane number first, so that a long message never stands before control.
 */
export interface LinkChannel {
  send(lane: Lane, message: LinkMessage): void;
  readonly counts: LaneCounts;
  /** bytes of lanes below control that wait here; bounded by what the sessions send: their window and credit */
  readonly queuedBytes: number;
  close(reason: string): void;
}

export interface LinkChannelOptions {
  readonly transport: Transport;
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** longest message taken, now */
  readonly messageBytes: () => number;
  onMessage(lane: Lane, message: AnyMessage): void;
  /** any frame came; before its message, if it completes one */
  onHeard(): void;
  /** the other end broke the protocol; the channel is closed already */
  onBroken(error: AppError): void;
  onClose(reason: string): void;
}

/** Frames of lower lanes handed to the transport ahead of what the system has taken. */
const aheadBytes = 65_536;
const lookAgainMs = 5;

export function openLinkChannel(options: LinkChannelOptions): LinkChannel {
  const { transport } = options;
  const nextN = new Map<Lane, number>();
  const queues = new Map<Lane, Uint8Array[]>();
  let receiver = newLaneReceiver();
  let queuedBytes = 0;
  let isOpen = true;
  let cancelLook: (() => void) | null = null;

  function pump(): void {
    cancelLook = null;
    for (const lane of Object.keys(lanes) as Lane[]) {
      const queue = queues.get(lane);
      while (isOpen && queue !== undefined && queue.length > 0) {
        if (transport.bufferedBytes >= aheadBytes) {
          cancelLook = options.after(lookAgainMs, pump);
          return;
        }
        const frame = queue.shift()!;
        queuedBytes -= frame.length;
        transport.send(frame);
      }
    }
  }

  function take(bytes: Uint8Array): void {
    if (!isOpen) return;
    options.onHeard();
    try {
      const taken = receiveFrame({ ...receiver, messageBytes: options.messageBytes() }, decodeFrame(bytes));
      receiver = taken.receiver;
      for (const { lane, bytes } of taken.messages) if (isOpen) options.onMessage(lane, decodeMessage(bytes));
    } catch (error) {
      if (codeOf(error) === "internal") throw error;
      // Decoders and sessions throw AppError only; anything else was thrown on above.
      const broken = error as AppError;
      close(broken.message);
      options.onBroken(broken);
    }
  }

  function close(reason: string): void {
    if (!isOpen) return;
    isOpen = false;
    cancelLook?.();
    queues.clear();
    queuedBytes = 0;
    transport.close(reason);
  }

  transport.onClose((reason) => {
    isOpen = false;
    cancelLook?.();
    options.onClose(reason);
  });
  transport.onFrame(take);

  return {
    send(lane, message) {
      if (!isOpen) return;
      const n = nextN.get(lane) ?? 0;
      const frames = splitMessage({ lane, n, bytes: encodeMessage(message) });
      nextN.set(lane, n + frames.length);
      if (lane === "control") {
        for (const frame of frames) transport.send(frame);
        return;
      }
      const queue = queues.get(lane) ?? [];
      queues.set(lane, queue);
      for (const frame of frames) {
        queue.push(frame);
        queuedBytes += frame.length;
      }
      if (cancelLook === null) pump();
    },
    get counts() {
      return receiver.counts;
    },
    get queuedBytes() {
      return queuedBytes;
    },
    close,
  };
}
