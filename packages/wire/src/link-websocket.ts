import type { Transport } from "./link-transport.ts";

/** The part of a `ws` WebSocket that the link uses; wire itself imports no network library. */
export interface WebSocketLike {
  readonly bufferedAmount: number;
  send(data: Uint8Array, options: { binary: boolean }, done: (error?: Error | null) => void): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: "message", listener: (data: unknown, isBinary: boolean) => void): unknown;
  on(event: "close", listener: (code: number, reason: Uint8Array) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** RFC 6455, 5.5: a control frame carries at most 125 bytes, two of them the code. */
const closeReasonBytes = 120;

/**
 * A WebSocket as a Transport. Give it an open one, before its first message can arrive.
 *
 * @param closeGraceMs how the other end's answer to our close is bounded is the caller's: `after` runs once the time is up
 */
export function webSocketTransport(
  socket: WebSocketLike,
  after: (delayMs: number, run: () => void) => () => void,
  closeGraceMs = 2000,
): Transport {
  let frameListener: ((frame: Uint8Array) => void) | null = null;
  let closeListener: ((reason: string) => void) | null = null;
  let closed: string | null = null;
  let isClosing = false;
  let lastError: string | null = null;
  let early: Uint8Array[] = [];
  let cancelGrace: (() => void) | null = null;

  socket.on("message", (data, isBinary) => {
    if (isClosing) return;
    // A text message is not of this protocol; an empty frame makes the decoder say so.
    const frame = isBinary && data instanceof Uint8Array ? data : new Uint8Array(0);
    if (frameListener !== null) frameListener(frame);
    else early.push(frame);
  });
  socket.on("error", (error) => {
    lastError = error.message;
  });
  socket.on("close", (code, reason) => {
    cancelGrace?.();
    closed = reason.length > 0 ? new TextDecoder().decode(reason) : (lastError ?? `connection ended, code ${code}`);
    closeListener?.(closed);
    closeListener = null;
  });

  return {
    send(frame) {
      if (closed === null && !isClosing) socket.send(frame, { binary: true }, () => {});
    },
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    close(reason = "") {
      if (closed !== null || isClosing) return;
      isClosing = true;
      let text = new TextEncoder().encode(reason);
      if (text.length > closeReasonBytes) text = text.subarray(0, closeReasonBytes);
      socket.close(1000, new TextDecoder().decode(text).replace(/\ufffd+$/, ""));
      cancelGrace = after(closeGraceMs, () => socket.terminate());
    },
    onFrame(listener) {
      frameListener = listener;
      const waiting = early;
      early = [];
      for (const frame of waiting) listener(frame);
    },
    onClose(listener) {
      if (closed !== null) listener(closed);
      else closeListener = listener;
    },
  };
}
