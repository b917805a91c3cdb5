import { AppError } from "@penstock/model";
import type { Answered, Job } from "./s7-line.ts";

export interface Waiting {
  readonly job: Job;
  readonly resolve: (answered: Answered) => void;
  readonly reject: (error: AppError) => void;
  retriesLeft: number;
  /** microseconds */
  sentAt: number;
  stopTimer: () => void;
}

/** Jobs that wait; whoever comes when it is full is refused. */
const capacity = 1000;
/** Writes go first, but a read that waits gets its turn after so many. */
const writesInRow = 4;

/**
 * What waits to be sent. Writes go before reads. A job that got no answer is sent again behind what waits by then, a write
 * too: a desired value is a state, so writing it twice does no harm.
 */
export class JobQueue {
  readonly #reads: Waiting[] = [];
  readonly #writes: Waiting[] = [];
  readonly #retries: number;
  #row = 0;

  constructor(retries: number) {
    this.#retries = retries;
  }

  /** false when there is no room */
  add(job: Job, { resolve, reject }: Pick<Waiting, "resolve" | "reject">): boolean {
    if (this.#reads.length + this.#writes.length >= capacity) return false;
    this.#push({ job, resolve, reject, retriesLeft: this.#retries, sentAt: 0, stopTimer() {} });
    return true;
  }

  next(): Waiting | undefined {
    for (;;) {
      const takesWrite = this.#writes.length > 0 && (this.#row < writesInRow || this.#reads.length === 0);
      const next = takesWrite ? this.#writes.shift() : this.#reads.shift();
      this.#row = takesWrite ? this.#row + 1 : 0;
      if (next === undefined || !next.job.signal.aborted) return next;
      next.reject(new AppError("aborted", "The work was called off"));
    }
  }

  /** @returns true when it is not sent again */
  failed(waiting: Waiting, error: AppError): boolean {
    if (waiting.retriesLeft === 0) {
      waiting.reject(error);
      return true;
    }
    waiting.retriesLeft--;
    this.#push(waiting);
    return false;
  }

  endReads(error: AppError): void {
    for (const { reject } of this.#reads.splice(0)) reject(error);
  }

  end(error: AppError): void {
    for (const { reject } of [...this.#writes.splice(0), ...this.#reads.splice(0)]) reject(error);
  }

  #push(waiting: Waiting): void {
    (waiting.job.isWrite ? this.#writes : this.#reads).push(waiting);
  }
}
