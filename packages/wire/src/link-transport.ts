/**
 * One connection as the link sees it: whole frames in both directions, no order or delivery promised beyond what the
 * line gives. The WebSocket and the simulator's network both have this shape.
 */
export interface Transport {
  /** queues one frame; after close it is dropped silently */
  send(frame: Uint8Array): void;
  /** bytes given to `send` that the system has not taken yet */
  readonly bufferedBytes: number;
  close(reason?: string): void;
  /** one listener; frames that came before it was set are handed to it when it is */
  onFrame(listener: (frame: Uint8Array) => void): void;
  /** called once, also after our own close; at once when it is closed already */
  onClose(listener: (reason: string) => void): void;
}
