import { AppError } from "@penstock/model";
import type { Answer, Question } from "./line.ts";

/** A question on its way through a line. */
export interface Waiting extends Question {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: AppError) => void;
  /** monotonic microseconds of this attempt; set when it is sent */
  sentAt: number;
  deadline: number;
  /** how often it has been asked in vain */
  failures: number;
}

/** Callers hold few questions each, so this bounds the callers; beyond it a question is refused. */
const maxQueued = 4096;
/** Writes go first, but a caller that writes without end must not stop all reading. */
const maxWritesInRow = 4;
// Modbus Application Protocol V1.1b3, 6: the functions that change something, 23 among them
const writingFunctions: ReadonlySet<number> = new Set([5, 6, 15, 16, 22, 23]);

export const isWriting = (pdu: Uint8Array) => writingFunctions.has(pdu[0]!);

/** What waits to be asked on one line, what is asked next, and what becomes of a question that got no answer. */
export class QuestionQueue {
  retries = 0;
  readonly #writes: Waiting[] = [];
  readonly #reads: Waiting[] = [];
  #writesInRow = 0;
  /** monotonic microseconds of each unit's last answer; a line has at most 256 units */
  readonly #heardAt = new Map<number, number>();
  /** units that have been silent through all retries and have not answered since */
  readonly #silent = new Set<number>();

  /** @returns false when the queue is full: the question is the caller's to refuse */
  add(question: Question, settle: Pick<Waiting, "resolve" | "reject">): boolean {
    if (this.#reads.length + this.#writes.length >= maxQueued) return false;
    const { unit, pdu, timeoutMs, signal } = question;
    const { resolve, reject } = settle;
    this.#push({ unit, pdu, timeoutMs, signal, resolve, reject, sentAt: 0, deadline: 0, failures: 0 });
    return true;
  }

  get isEmpty(): boolean {
    return this.#reads.length + this.#writes.length === 0;
  }

  /** What is asked next; questions that nobody waits for any more are ended on the way. */
  next(): Waiting | undefined {
    for (;;) {
      const waiting = this.#take();
      if (waiting?.signal.aborted !== true) return waiting;
      waiting.reject(new AppError("aborted", "The question was called off before it was sent"));
    }
  }

  answered(waiting: Waiting, answer: Answer): void {
    this.#heardAt.set(waiting.unit, answer.monotonic);
    if (this.#silent.size > 0) this.#silent.delete(waiting.unit);
    waiting.resolve(answer);
  }

  /** No answer, or a broken one: asked again behind what waits by now, or rejected. */
  failed(waiting: Waiting, error: AppError): void {
    const { unit } = waiting;
    if (waiting.failures < this.retries && !this.#silent.has(unit) && !waiting.signal.aborted) {
      waiting.failures++;
      this.#push(waiting);
      return;
    }
    waiting.reject(error);
    // While other questions are out, one may take long though the unit is well.
    const isSilent = error.code === "mapper/timeout" && (this.#heardAt.get(unit) ?? -1) < waiting.sentAt;
    if (!isSilent) return;
    this.#silent.add(unit);
    for (const other of this.#reads.filter((other) => other.unit === unit)) {
      this.#reads.splice(this.#reads.indexOf(other), 1);
      other.reject(error);
    }
  }

  /** Ends everything that waits. */
  end(error: AppError): void {
    for (const { reject } of [...this.#writes.splice(0), ...this.#reads.splice(0)]) reject(error);
  }

  #push(waiting: Waiting): void {
    (isWriting(waiting.pdu) ? this.#writes : this.#reads).push(waiting);
  }

  #take(): Waiting | undefined {
    const isReadsTurn = this.#writes.length === 0 || (this.#writesInRow >= maxWritesInRow && this.#reads.length > 0);
    this.#writesInRow = isReadsTurn ? 0 : this.#writesInRow + 1;
    return isReadsTurn ? this.#reads.shift() : this.#writes.shift();
  }
}
