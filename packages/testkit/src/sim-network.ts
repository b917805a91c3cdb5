import { AppError } from "@penstock/model";
import type { SimProcess } from "./sim-process.ts";
import type { SimScheduler } from "./sim-scheduler.ts";
import { SimTransport, type Transport } from "./sim-transport.ts";

/** What the line does to frames; every number may change while frames are under way. */
export interface LineShape {
  /** one way; each frame draws from this range, later frames never overtake unless reordered */
  readonly latencyMs: readonly [least: number, most: number];
  /** each way; Infinity = no limit */
  readonly bytesPerSecond: number;
  /** share of frames that arrive twice */
  readonly duplicate: number;
  /** share of frames that later ones overtake */
  readonly reorder: number;
}
export const goodLine: LineShape = {
  latencyMs: [1, 5],
  bytesPerSecond: Number.POSITIVE_INFINITY,
  duplicate: 0,
  reorder: 0,
};

/** open; stalled: frames wait and go on later; mute: they vanish and nobody is told; cut: ends are closed, none can be made */
export type LineState = "open" | "stalled" | "mute" | "cut";

/** One line between simulated processes, with its faults. Names are addresses: a server listens on one. */
export class SimNetwork {
  readonly scheduler: SimScheduler;
  shape: LineShape;
  framesSent = 0;
  framesDelivered = 0;
  framesDuplicated = 0;
  framesReordered = 0;
  #state: LineState = "open";
  readonly #listeners = new Map<string, { process: SimProcess; accept: (transport: Transport) => void }>();
  readonly #ends = new Set<SimTransport>();

  constructor(options: { readonly scheduler: SimScheduler; readonly shape?: LineShape }) {
    this.scheduler = options.scheduler;
    this.shape = options.shape ?? goodLine;
  }

  get state(): LineState {
    return this.#state;
  }

  /** Accepts connections until the process ends. */
  listen(
    name: string,
    options: { readonly process: SimProcess; readonly accept: (transport: Transport) => void },
  ): void {
    this.#listeners.set(name, options);
    options.process.onEnd(() => {
      if (this.#listeners.get(name)?.process === options.process) this.#listeners.delete(name);
    });
  }

  /**
   * Resolves after a round trip with the caller's end; rejects with link/closed when nobody listens or the line is cut.
   * While the line is stalled or mute it stays open, as a real connect does until its own time-out.
   */
  connect(name: string, options: { readonly process: SimProcess }): Promise<Transport> {
    const { process } = options;
    return new Promise((resolve, reject) => {
      const refuse = (why: string) => {
        process.later(this.latency(), "refused", () =>
          reject(new AppError("link/closed", `Cannot connect to "${name}": ${why}`)),
        );
      };
      const attempt = () => {
        if (this.#state === "cut") return refuse("the line is cut");
        if (this.#state !== "open") {
          // The kernel sends its SYN again; a process that has ended asks no more.
          process.later(1000, "connect again", attempt);
          return;
        }
        const listener = this.#listeners.get(name);
        if (listener === undefined) return refuse("nobody listens");
        const [near, far] = SimTransport.pair({ network: this, near: process, far: listener.process });
        this.#ends.add(near).add(far);
        listener.process.enter("accept", () => listener.accept(far));
        process.later(this.latency(), "connected", () => resolve(near));
      };
      process.later(this.latency(), "connect", attempt);
    });
  }

  /** Every connection ends on both sides at once, as by RST; none can be made until `resume`. */
  cut(): void {
    this.#state = "cut";
    for (const end of [...this.#ends]) end.abort("cut");
  }

  stall(): void {
    this.#state = "stalled";
  }

  /** Half-open: frames vanish, and connections that lost one are dead for good, as when a NAT forgets them. */
  mute(): void {
    this.#state = "mute";
    for (const end of this.#ends) end.mute();
  }

  resume(): void {
    this.#state = "open";
    for (const end of [...this.#ends]) end.flush();
  }

  latency(): number {
    const [least, most] = this.shape.latencyMs;
    return least + this.scheduler.random.number() * (most - least);
  }

  /** A transport calls this when it is closed. */
  forget(end: SimTransport): void {
    this.#ends.delete(end);
  }
}
