import type { SimNetwork } from "./sim-network.ts";
import type { SimEnd, SimProcess } from "./sim-process.ts";

/** One end of a connection that carries whole frames in order, as the link sees a WebSocket. */
export interface Transport {
  /** after the end is closed: nothing happens */
  send(frame: Uint8Array): void;
  /** handed to `send`, not yet on the line */
  readonly bufferedBytes: number;
  /** the other end hears it, unless the line is gone */
  close(reason?: string): void;
  onFrame(listener: (frame: Uint8Array) => void): void;
  /** called once, for either end's close and for a broken line; frames sent by the other end before its close come first */
  onClose(listener: (reason: string) => void): void;
}

/** What travels: a frame, or the end of the connection behind it. */
type Parcel = { readonly frame: Uint8Array } | { readonly reason: string };

export class SimTransport implements Transport {
  readonly #network: SimNetwork;
  readonly #process: SimProcess;
  #peer: SimTransport | null = null;
  #isClosed = false;
  #endedBecause: string | null = null;
  #isMute = false;
  /** frames that came before anybody listened; taken by the first listener */
  #early: Uint8Array[] = [];
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  #onClose: ((reason: string) => void) | null = null;
  /** parcels for the peer that wait for a stalled line; bound: what the sender's own credit allows */
  #held: Parcel[] = [];
  /** parcels that were under way when the line stalled: they go before any held one */
  #stranded: Parcel[] = [];
  #lineFreeAt = 0;
  #lastArrival = 0;
  /** bytes on their way onto a line of limited speed, with the time each is through */
  #sending: { readonly until: number; readonly bytes: number }[] = [];

  private constructor(network: SimNetwork, process: SimProcess) {
    this.#network = network;
    this.#process = process;
    process.onEnd((end) => this.#onProcessEnd(end));
  }

  static pair(options: { network: SimNetwork; near: SimProcess; far: SimProcess }): [SimTransport, SimTransport] {
    const near = new SimTransport(options.network, options.near);
    const far = new SimTransport(options.network, options.far);
    near.#peer = far;
    far.#peer = near;
    return [near, far];
  }

  get bufferedBytes(): number {
    const now = this.#network.scheduler.clock.monotonic();
    while (this.#sending.length > 0 && this.#sending[0]!.until <= now) this.#sending.shift();
    let bytes = 0;
    for (const part of this.#sending) bytes += part.bytes;
    for (const parcel of this.#held) if ("frame" in parcel) bytes += parcel.frame.length;
    return bytes;
  }

  send(frame: Uint8Array): void {
    if (this.#isClosed || !this.#process.isAlive) return;
    this.#network.framesSent++;
    // A copy, as a socket makes one: the sender may use its buffer again.
    this.#post({ frame: frame.slice() });
  }

  close(reason = "closed"): void {
    if (this.#isClosed) return;
    this.#post({ reason });
    this.#ended(reason);
  }

  onFrame(listener: (frame: Uint8Array) => void): void {
    this.#onFrame = listener;
    const early = this.#early;
    this.#early = [];
    for (const frame of early) listener(frame);
  }

  onClose(listener: (reason: string) => void): void {
    this.#onClose = listener;
    // The end may have come before the caller had the transport in hand.
    if (this.#endedBecause !== null) listener(this.#endedBecause);
  }

  /** The line breaks: this end is told, without anything travelling. */
  abort(reason: string): void {
    this.#lose();
    this.#process.later(0, "line broken", () => this.#ended(reason));
  }

  mute(): void {
    this.#isMute = true;
    this.#lose();
  }

  /** The line moves again: what was held goes on, in order. */
  flush(): void {
    const stranded = this.#stranded;
    const held = this.#held;
    this.#lose();
    const now = this.#network.scheduler.clock.monotonic();
    for (const parcel of stranded) this.#arriveAt(now, parcel);
    for (const parcel of held) this.#post(parcel);
    if (this.#isClosed) this.#network.forget(this);
  }

  #lose(): void {
    this.#held = [];
    this.#stranded = [];
  }

  /** Nothing is left to send: the network need not know this end any more. A stalled one still has to be flushed. */
  #forgetUnlessHolding(): void {
    if (this.#held.length + this.#stranded.length === 0) this.#network.forget(this);
  }

  #post(parcel: Parcel): void {
    const { state, shape, scheduler } = this.#network;
    if (this.#isMute || state === "cut") return;
    if (state === "stalled") {
      this.#held.push(parcel);
      return;
    }
    const bytes = "frame" in parcel ? parcel.frame.length : 0;
    const now = scheduler.clock.monotonic();
    const sent = Math.max(now, this.#lineFreeAt) + (bytes / shape.bytesPerSecond) * 1e6;
    this.#lineFreeAt = sent;
    if (sent > now) this.#sending.push({ until: sent, bytes });
    const plain = Math.max(sent + this.#network.latency() * 1000, this.#lastArrival);
    if ("frame" in parcel && shape.reorder > 0 && scheduler.random.chance(shape.reorder)) {
      this.#network.framesReordered++;
      this.#arriveAt(plain + shape.latencyMs[1] * 1000 * (1 + scheduler.random.number() * 3), parcel);
    } else {
      this.#lastArrival = plain;
      this.#arriveAt(plain, parcel);
    }
    if ("frame" in parcel && shape.duplicate > 0 && scheduler.random.chance(shape.duplicate)) {
      this.#network.framesDuplicated++;
      this.#arriveAt(plain + scheduler.random.number() * shape.latencyMs[1] * 4000, parcel);
    }
  }

  #arriveAt(at: number, parcel: Parcel): void {
    const { clock } = this.#network.scheduler;
    clock.after((at - clock.monotonic()) / 1000, () => {
      if (this.#isMute || this.#network.state === "cut") return;
      if (this.#network.state === "stalled") this.#stranded.push(parcel);
      else this.#peer!.#take(parcel);
    });
  }

  #take(parcel: Parcel): void {
    if (this.#isClosed) return;
    if ("reason" in parcel) this.#process.enter("closed by peer", () => this.#ended(parcel.reason));
    else
      this.#process.enter("frame", () => {
        this.#network.framesDelivered++;
        this.#network.scheduler.trace.bytes(parcel.frame);
        if (this.#onFrame === null) this.#early.push(parcel.frame);
        else this.#onFrame(parcel.frame);
      });
  }

  #onProcessEnd(end: SimEnd): void {
    if (this.#isClosed) return;
    // A kernel closes the sockets of a dead process; a machine without power says nothing.
    if (end === "power") this.mute();
    else this.#post({ reason: "reset" });
    this.#isClosed = true;
    this.#forgetUnlessHolding();
  }

  #ended(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#endedBecause = reason;
    this.#forgetUnlessHolding();
    this.#onClose?.(reason);
  }
}
