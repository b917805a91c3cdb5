import type { ReadingBatch } from "@penstock/model";
import { BatchPacker, type PackedBatches } from "./batch-packs.ts";

/** batches of one message; the next goes when the rules have these */
const atOnce = 256;
/** Beyond, whoever gives them is told to wait: what comes meanwhile waits at the bus, within its bound. */
const waitingMost = 256;

type Send = (batches: PackedBatches) => Promise<void>;
/** One life of the thread. */
interface Life {
  readonly send: Send;
  readonly packer: BatchPacker;
}

/** Batches on their way to the rules' thread, in their order: while one message is under way the next gathers. */
export class BatchWay {
  readonly #lost: (readings: number) => void;
  /** null: there is no thread; what comes waits for it */
  #life: Life | null = null;
  #waiting: ReadingBatch[] = [];
  #isSending = false;
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null;

  /** @param options.lost  readings that were under way when the thread was lost: whether rules had them nobody knows */
  constructor(options: { lost(readings: number): void }) {
    this.#lost = options.lost;
  }

  get isOpen(): boolean {
    return this.#life !== null;
  }

  /** What waited goes. */
  open(send: Send): void {
    this.#life = { send, packer: new BatchPacker() };
    this.#flush();
  }

  take(batch: ReadingBatch): void | Promise<void> {
    this.#waiting.push(batch);
    this.#flush();
    if (this.#waiting.length < waitingMost) return;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  /** What comes waits. */
  pause(): void {
    this.#life = null;
  }

  /** Nobody reads what waited. */
  forget(): void {
    this.#waiting = [];
    this.#letIn();
  }

  #flush(): void {
    const life = this.#life;
    if (this.#isSending || life === null || this.#waiting.length === 0) return;
    this.#isSending = true;
    void this.#give(life, this.#waiting.splice(0, atOnce));
    this.#letIn();
  }

  async #give({ send, packer }: Life, some: readonly ReadingBatch[]): Promise<void> {
    try {
      await send(packer.pack(some));
    } catch {
      this.#lost(some.reduce((sum, { count }) => sum + count, 0));
    }
    this.#isSending = false;
    this.#flush();
  }

  #letIn(): void {
    if (this.#waiting.length >= waitingMost) return;
    this.#room?.resolve();
    this.#room = null;
  }
}
