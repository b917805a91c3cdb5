import type { BrokerNews, TakeNews } from "@penstock/model";
import type { Log, Metrics } from "@penstock/runtime";
import type { BrokerListener } from "./broker.ts";

export interface HeardLimits {
  /** that wait for who listens; beyond, the oldest go and are counted */
  readonly heardMessages: number;
  readonly heardBytes: number;
}
/** given together: who takes them has others to serve as well */
const batchMessages = 256;
const batchBytes = 256 * 1024;

/** What waits for one stage of the gateway that listens at the broker: given in batches, one when the one before is taken. */
export class HeardMessages implements BrokerListener {
  readonly filter: string;
  readonly #take: TakeNews;
  readonly #limits: HeardLimits;
  readonly #dropped: ReturnType<Metrics["counter"]>;
  readonly #log: Log;
  #waiting: BrokerNews[] = [];
  #bytes = 0;
  /** all that ever came */
  #heard = 0;
  /** the first of those that are being taken, in the order in which they came; null: none are */
  #takingFrom: number | null = null;
  #waiters: { readonly upTo: number; readonly done: () => void }[] = [];
  #isClosed = false;

  constructor(options: {
    readonly filter: string;
    readonly take: TakeNews;
    readonly limits: HeardLimits;
    readonly metrics: Metrics;
    readonly log: Log;
  }) {
    this.filter = options.filter;
    this.#take = options.take;
    this.#limits = options.limits;
    this.#log = options.log;
    const help = "Messages not given to a local client";
    this.#dropped = options.metrics.counter("penstock_bypass_dropped_total", help, { reason: "slow-rules" });
  }

  hear(topic: string, payload: Uint8Array): void {
    if (this.#isClosed) return;
    // A copy of its own: the library's is a piece of all that was read at once, and would keep that.
    this.#waiting.push({ topic, payload: new Uint8Array(payload) });
    this.#bytes += sizeOf(topic, payload);
    this.#heard += 1;
    const { heardMessages, heardBytes } = this.#limits;
    let over = 0;
    while (
      this.#waiting.length - over > heardMessages ||
      (this.#bytes > heardBytes && this.#waiting.length - over > 1)
    ) {
      const { topic, payload } = this.#waiting[over++]!;
      this.#bytes -= sizeOf(topic, payload);
    }
    if (over > 0) {
      this.#waiting.splice(0, over);
      this.#dropped.add(over);
      this.#settle();
    }
    if (this.#takingFrom !== null) return;
    this.#takingFrom = this.#heard - 1;
    // What came with it goes with it.
    setImmediate(() => void this.#give());
  }

  settled(): Promise<void> {
    const upTo = this.#heard;
    if (this.#takenUpTo() >= upTo) return Promise.resolve();
    return new Promise((done) => void this.#waiters.push({ upTo, done }));
  }

  /** What waits is dropped; whoever waits for it is not told that it was taken. */
  close(): void {
    this.#isClosed = true;
    this.#dropped.add(this.#waiting.length);
    this.#waiting = [];
    this.#waiters = [];
  }

  async #give(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.#takingFrom = this.#heard - this.#waiting.length;
      const batch = this.#nextBatch();
      try {
        await this.#take(batch);
      } catch (error) {
        this.#dropped.add(batch.length);
        this.#log.debug({ error, filter: this.filter }, "Messages at the gateway's broker are not taken");
      }
      this.#takingFrom = this.#heard - this.#waiting.length;
      this.#settle();
    }
    this.#takingFrom = null;
  }

  #nextBatch(): BrokerNews[] {
    let bytes = 0;
    const size = (at: number) => sizeOf(this.#waiting[at]!.topic, this.#waiting[at]!.payload);
    let count = 0;
    do bytes += size(count++);
    while (count < Math.min(batchMessages, this.#waiting.length) && bytes + size(count) <= batchBytes);
    this.#bytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  #takenUpTo(): number {
    return this.#takingFrom ?? this.#heard;
  }

  #settle(): void {
    const upTo = this.#takenUpTo();
    while (this.#waiters[0] !== undefined && this.#waiters[0].upTo <= upTo) this.#waiters.shift()!.done();
  }
}

function sizeOf(topic: string, payload: Uint8Array): number {
  return payload.length + topic.length * 3;
}
