import type { BusConsumer, ReadingBatch } from "@penstock/model";
import type { Counter, Log } from "@penstock/runtime";

interface Waiting {
  readonly batch: ReadingBatch;
  readonly enter: () => void;
}

/** One consumer's queue: at most `bound` batches, then either publishers wait or the oldest batch is dropped. */
export class BatchQueue {
  readonly name: string;
  readonly #consumer: BusConsumer;
  readonly #counters: { readonly dropped: Counter; readonly failed: Counter };
  readonly #log: Log;
  readonly #ring: (ReadingBatch | undefined)[];
  #head = 0;
  #length = 0;
  /** publishers in order; only with policy "wait" */
  #waiting: Waiting[] = [];
  #isTaking = false;
  #isClosed = false;
  #hasFailed = false;

  constructor(consumer: BusConsumer, counters: { readonly dropped: Counter; readonly failed: Counter }, log: Log) {
    if (!Number.isInteger(consumer.bound) || consumer.bound < 1) {
      throw new RangeError(
        `Cannot subscribe "${consumer.name}": bound is ${consumer.bound}, want a whole number from 1`,
      );
    }
    this.name = consumer.name;
    this.#consumer = consumer;
    this.#counters = counters;
    this.#log = log;
    this.#ring = new Array<ReadingBatch | undefined>(consumer.bound);
  }

  /** @returns null when the batch is in the queue; else a promise of it getting there */
  put(batch: ReadingBatch): Promise<void> | null {
    if (this.#isClosed) return null;
    if (this.#length < this.#ring.length && this.#waiting.length === 0) {
      this.#push(batch);
      return null;
    }
    if (this.#consumer.policy === "drop-oldest") {
      this.#counters.dropped.add(this.#shift().count);
      this.#push(batch);
      return null;
    }
    return new Promise((resolve) => {
      this.#waiting.push({ batch, enter: resolve });
    });
  }

  /** Hands over what is queued until the consumer returns a promise; goes on when that settles. */
  deliver(): void {
    if (this.#isTaking) return;
    this.#isTaking = true;
    while (this.#length > 0 && !this.#isClosed) {
      const batch = this.#shift();
      this.#admit();
      try {
        const taking = this.#consumer.take(batch);
        if (taking !== undefined) {
          taking.then(this.#resume, (error: unknown) => {
            this.#failed(batch, error);
            this.#resume();
          });
          return;
        }
      } catch (error) {
        this.#failed(batch, error);
      }
    }
    this.#isTaking = false;
  }

  /** What is queued is forgotten; nobody waits for it any more. */
  close(): void {
    this.#isClosed = true;
    this.#ring.fill(undefined);
    this.#length = 0;
    for (const waiting of this.#waiting.splice(0)) waiting.enter();
  }

  readonly #resume = (): void => {
    this.#isTaking = false;
    this.deliver();
  };

  #admit(): void {
    while (this.#waiting.length > 0 && this.#length < this.#ring.length) {
      const { batch, enter } = this.#waiting.shift()!;
      this.#push(batch);
      enter();
    }
  }

  #push(batch: ReadingBatch): void {
    this.#ring[(this.#head + this.#length) % this.#ring.length] = batch;
    this.#length++;
  }

  #shift(): ReadingBatch {
    const batch = this.#ring[this.#head]!;
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#ring.length;
    this.#length--;
    return batch;
  }

  #failed(batch: ReadingBatch, error: unknown): void {
    this.#counters.failed.add(batch.count);
    // Once: a consumer that throws at every batch would drown the log; the counter goes on.
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#log.error({ stage: "bus", consumer: this.name, error }, "A consumer threw; further throws are counted only");
  }
}
