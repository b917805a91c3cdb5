import type { Socket } from "node:net";
import type { Cancel, Clock } from "@penstock/runtime";
import type { InputPace } from "./input-pace.ts";

/** Read at once: a few thousand of the smallest packets, some milliseconds' work. */
const chunkBytes = 4096;
/** A packet counts once more for every so many bytes. */
const bytesPerCount = 4096;
/** Acknowledgements are answers, as many as the gateway's own messages: PUBACK to PUBCOMP. */
const ackCount = 1 / 16;

/**
 * What comes from one client. The broker library reads all there is and works through it before anybody else has a turn;
 * here it gets a little at a time, and nothing while the client is faster than it may be: its socket then is full, and
 * the client waits.
 */
export class ClientInput {
  readonly #socket: Socket;
  readonly #take: (count: number, now: number) => number;
  readonly #options: { readonly clock: Clock; readonly onWait: () => void };
  /** bytes of a packet that are still to come */
  #rest = 0;
  /** within the length of a packet: how many bits of it are read; null elsewhere */
  #shift: number | null = null;
  #wait: Cancel | null = null;
  /** the library works through a piece; asked for more meanwhile, it gets none */
  #isWorking = false;
  #isAsked = false;

  constructor(
    socket: Socket,
    options: { readonly pace: InputPace; readonly clock: Clock; readonly onWait: () => void },
  ) {
    this.#socket = socket;
    this.#options = options;
    this.#take = options.pace.client();
    const read = socket.read.bind(socket);
    // The stream itself asks with 0, to be filled: what it got then would be lost.
    Object.assign(socket, { read: (size?: number | null) => (size === 0 ? read(0) : this.#read(read)) });
    socket.once("close", () => this.#wait?.());
  }

  /**
   * One piece a turn. The library asks for the next one from within its parser, wherever a packet is done with at once: a
   * piece that it got then would be read into the middle of the one before.
   */
  #read(read: (size?: number) => Buffer | null): Buffer | null {
    if (this.#wait !== null || this.#isWorking) {
      this.#isAsked = true;
      return null;
    }
    const size = Math.min(chunkBytes, this.#socket.readableLength);
    const chunk = size === 0 ? read() : read(size);
    if (chunk === null) return null;
    const { clock, onWait } = this.#options;
    const waitMs = this.#take(this.#count(chunk), clock.monotonic());
    if (waitMs > 0) {
      onWait();
      this.#wait = clock.after(waitMs, () => {
        this.#wait = null;
        this.#goOn();
      });
    }
    this.#isWorking = true;
    setImmediate(() => {
      this.#isWorking = false;
      if (this.#wait === null && (this.#isAsked || this.#socket.readableLength > 0)) this.#goOn();
    });
    return chunk;
  }

  #goOn(): void {
    this.#isAsked = false;
    // The library reads when it is told that there is something, and nobody else would tell it of the rest.
    if (!this.#socket.destroyed) this.#socket.emit("readable");
  }

  /** @source MQTT 5.0, 2.1: a byte with the packet's type, then the length in seven bits a byte */
  #count(chunk: Buffer): number {
    let count = chunk.length / bytesPerCount;
    for (let at = 0; at < chunk.length; ) {
      if (this.#shift !== null) {
        const byte = chunk[at++]!;
        this.#rest += (byte & 0x7f) * 2 ** this.#shift;
        this.#shift = byte >= 0x80 && this.#shift < 21 ? this.#shift + 7 : null;
      } else if (this.#rest > 0) {
        const passed = Math.min(this.#rest, chunk.length - at);
        this.#rest -= passed;
        at += passed;
      } else {
        const type = chunk[at++]! >> 4;
        count += type >= 4 && type <= 7 ? ackCount : 1;
        this.#shift = 0;
      }
    }
    return count;
  }
}
