import type { Socket } from "node:net";
import type { BrokerLimits } from "./broker-limits.ts";

/** the packet's fixed header, topic length, packet id and properties are not more than this */
const packetOverhead = 64;
/** answers to a client's own packets; it gets no more of them while it reads none */
const answerBytes = 65_536;

/**
 * What waits for one client. The broker library writes to the socket without asking how much lies there already, so
 * this is the one place through which every byte to a client goes, and where it is counted.
 */
export class ClientQueue {
  readonly #socket: Socket;
  readonly #limits: BrokerLimits;
  /** where, counted in bytes since the connection began, each message that still waits ends */
  readonly #ends: number[] = [];
  /** accepted, to be written when the event loop comes round */
  #unwritten = 0;
  #lastFlushed = 0;
  #fullSince: number | null = null;

  constructor(socket: Socket, limits: BrokerLimits) {
    this.#socket = socket;
    this.#limits = limits;
    const write = socket.write.bind(socket);
    // The library stops all delivery, to everybody, while a few sockets say false ("wait for drain"): a hundred messages
    // for one stalled client would stall the rest. So the answer is always true, and the bound is kept here instead.
    const bound = limits.queuedBytes + limits.packetBytes + answerBytes;
    Object.assign(socket, {
      write(...written: Parameters<typeof write>) {
        write(...written);
        if (socket.writableLength > bound) socket.destroy();
        return true;
      },
    });
  }

  /** Takes a message of that size into the queue, or refuses it because the client is too slow. */
  accept(bytes: number, share: number, now: number): "taken" | "full" | "stalled" {
    const size = bytes + packetOverhead;
    const flushed = this.#socket.bytesWritten - this.#socket.writableLength;
    while (this.#ends.length > 0 && this.#ends[0]! <= flushed) this.#ends.shift();
    const waiting = this.#socket.writableLength + this.#unwritten;
    const room = Math.min(this.#limits.queuedBytes, share);
    if (this.#ends.length >= this.#limits.queuedMessages || (waiting > 0 && waiting + size > room)) {
      if (this.#fullSince === null || flushed > this.#lastFlushed) this.#fullSince = now;
      this.#lastFlushed = flushed;
      return now - this.#fullSince > this.#limits.stalledMs * 1000 ? "stalled" : "full";
    }
    this.#fullSince = null;
    this.#lastFlushed = flushed;
    this.#unwritten += size;
    this.#ends.push(this.#socket.bytesWritten + this.#unwritten);
    setImmediate(() => {
      this.#unwritten -= size;
    });
    return "taken";
  }
}
