import type { Socket } from "node:net";

/** how often a slow pipe hands on its share */
const tickMs = 20;

export interface LinkPipeOptions {
  readonly from: Socket;
  readonly to: Socket;
  /** told of bytes that were handed on */
  readonly passed: (bytes: number) => void;
}

/** One direction of a proxied connection. A full or stalled reader is passed on to the sender by not reading. */
export class LinkPipe {
  isMute = false;
  readonly #options: LinkPipeOptions;
  /** read but not handed on; bound: reading stops while anything waits here, so at most one chunk */
  readonly #waiting: Uint8Array[] = [];
  #hasEnded = false;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #share = 0;
  #lastTick = 0;

  constructor(options: LinkPipeOptions) {
    this.#options = options;
    options.from.on("data", (chunk) => {
      if (this.isMute) return;
      this.#waiting.push(chunk);
      this.#work();
    });
    options.from.on("end", () => {
      this.#hasEnded = true;
      this.#work();
    });
    options.to.on("drain", () => this.#work());
    options.to.on("close", () => this.end());
  }

  /** Infinity = as fast as it goes, 0 = not at all */
  limit(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
    this.#stopTimer();
    this.#share = 0;
    if (bytesPerSecond > 0 && bytesPerSecond !== Number.POSITIVE_INFINITY && !this.isMute) {
      this.#lastTick = performance.now();
      this.#timer = setInterval(() => this.#tick(), tickMs);
    }
    this.#work();
  }

  /** For good: what comes is swallowed, and an end on this side is not told to the other. */
  mute(): void {
    this.isMute = true;
    this.#waiting.length = 0;
    this.#stopTimer();
    this.#options.from.resume();
  }

  end(): void {
    this.#stopTimer();
    this.#waiting.length = 0;
  }

  #tick(): void {
    const now = performance.now();
    // A share not used is not saved up beyond one tick: a line has no memory of idle time.
    const most = Math.max(1, (this.#bytesPerSecond * tickMs * 2) / 1000);
    this.#share = Math.min(most, this.#share + ((now - this.#lastTick) * this.#bytesPerSecond) / 1000);
    this.#lastTick = now;
    this.#work();
  }

  #work(): void {
    const { from, to, passed } = this.#options;
    if (this.isMute || to.destroyed) return;
    while (this.#waiting.length > 0 && !to.writableNeedDrain) {
      const chunk = this.#waiting[0]!;
      const isLimited = this.#bytesPerSecond !== Number.POSITIVE_INFINITY;
      const room = isLimited ? Math.floor(this.#share) : chunk.length;
      if (room < 1) break;
      const part = chunk.subarray(0, room);
      if (part.length === chunk.length) this.#waiting.shift();
      else this.#waiting[0] = chunk.subarray(part.length);
      if (isLimited) this.#share -= part.length;
      to.write(part);
      passed(part.length);
    }
    const isHeld = this.#waiting.length > 0 || this.#bytesPerSecond === 0;
    if (isHeld) from.pause();
    else from.resume();
    if (this.#hasEnded && this.#waiting.length === 0 && this.#bytesPerSecond > 0 && to.writable) to.end();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
