import type { Socket } from "node:net";
import type { DriverClock, DriverLog } from "@penstock/mapper-sdk";
import { AppError, type LineSettings } from "@penstock/model";
import { decodeUnit, encodeConnect, encodeData, IsoReader, type IsoUnit, packetsInside } from "./iso-frame.ts";
import { JobQueue, type Waiting } from "./job-queue.ts";
import { decodeAnswer, decodeSetup, encodeSetup, type S7Answer, type S7Terms } from "./s7-pdu.ts";

export interface S7LineOptions {
  /** host:port, for people */
  readonly name: string;
  readonly clock: DriverClock;
  readonly log: DriverLog;
  readonly line: LineSettings;
}
export interface Job {
  readonly encode: (reference: number) => Uint8Array;
  readonly isWrite: boolean;
  /** a job whose signal is aborted is not sent any more */
  readonly signal: AbortSignal;
}
export interface Answered {
  readonly answer: S7Answer;
  /** microseconds of the clock handed in, when it arrived */
  readonly monotonic: number;
}

/** Rounds of time-outs with not one byte in between after which the line counts as dead, though TCP has not noticed. */
const maxSilentTimeouts = 3;
/** Newest jobs whose answers are looked for inside others: more than are ever out. */
const recentJobs = 128;

/**
 * One connection to a PLC: jobs wait in one queue, as many are out as the PLC agreed to and the Connection's `line` allows.
 * An answer belongs to the job with its reference; one that comes after its job has timed out belongs to none.
 *
 * @source RFC 1006 (packets over TCP), ISO 8073:1997 class 0 (connect, data units)
 */
export class S7Line {
  terms: S7Terms = { pduSize: 240, jobs: 1 };
  discarded = 0;
  readonly #socket: Socket;
  readonly #options: S7LineOptions;
  readonly #reader = new IsoReader();
  readonly #queue: JobQueue;
  readonly #inFlight = new Map<number, Waiting>();
  readonly #onEnd: (error: AppError) => void;
  #tpduSize = 1024;
  /** data units of a PDU that has not ended yet */
  #parts: Uint8Array[] = [];
  #reference: number;
  #silentTimeouts = 0;
  /** when the last byte came */
  #heardAt = 0;
  #freeAt = 0;
  #stopPause: (() => void) | null = null;
  #confirm: { readonly resolve: () => void; readonly reject: (error: AppError) => void } | null = null;
  #ended: AppError | null = null;

  /** @param onEnd called once, when the line has ended, by `close` or by itself */
  constructor(socket: Socket, options: S7LineOptions, onEnd: (error: AppError) => void) {
    this.#socket = socket;
    this.#options = options;
    this.#onEnd = onEnd;
    this.#queue = new JobQueue(options.line.retries);
    // Elsewhere on each connection: an answer that a gateway kept from the last one is then nobody's.
    this.#reference = options.clock.monotonic() & 0xffff;
    // A question is one small packet: waiting for more to send with it would cost its round trip.
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 10_000);
    socket.on("data", (chunk) => this.#take(chunk));
    socket.on("error", (cause) => this.#lost(cause.message, cause));
    socket.on("close", () => this.#lost("the PLC closed it"));
  }

  /** jobs that may be out at a time */
  get maxInFlight(): number {
    return Math.max(1, Math.min(this.terms.jobs, this.#options.line.inFlight));
  }

  /**
   * Connects to the PLC's communication module and agrees on the size of a PDU.
   *
   * @throws AppError of the `mapper/…` codes; the line has then ended
   */
  async agree(wanted: { readonly local: number; readonly remote: number; readonly pduSize: number }): Promise<void> {
    const { clock, line } = this.#options;
    await new Promise<void>((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#ended);
      const stop = clock.after(line.connectTimeoutMs, () => this.#end(this.#error("mapper/timeout", "no answer")));
      const settled = () => {
        this.#confirm = null;
        stop();
      };
      this.#confirm = {
        resolve: () => {
          settled();
          resolve();
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      this.#socket.write(encodeConnect(wanted));
    });
    const terms = { pduSize: wanted.pduSize, jobs: Math.max(1, line.inFlight) };
    const { answer } = await this.ask({
      encode: (reference) => encodeSetup(reference, terms),
      isWrite: false,
      signal: new AbortController().signal,
    });
    const agreed = decodeSetup(answer);
    // A PLC may offer less than was asked for, never more.
    this.terms = { pduSize: Math.min(agreed.pduSize, terms.pduSize), jobs: Math.min(agreed.jobs, terms.jobs) };
  }

  /** @throws AppError mapper/timeout, connection-lost, bad-answer, device-busy; aborted */
  ask(job: Job): Promise<Answered> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#ended);
      if (!this.#queue.add(job, { resolve, reject })) {
        return reject(this.#error("mapper/device-busy", "too many jobs wait already"));
      }
      this.#send();
    });
  }

  /** what waits is rejected with `aborted` */
  close(): void {
    this.#end(new AppError("aborted", `The connection to "${this.#options.name}" was closed`));
  }

  #send(): void {
    const { clock, line } = this.#options;
    while (this.#inFlight.size < this.maxInFlight) {
      if (line.pauseMs > 0 && this.#isPausing()) return;
      const next = this.#queue.next();
      if (next === undefined) return;
      do this.#reference = (this.#reference + 1) & 0xffff;
      while (this.#inFlight.has(this.#reference));
      const reference = this.#reference;
      this.#inFlight.set(reference, next);
      next.sentAt = clock.monotonic();
      next.stopTimer = clock.after(line.timeoutMs, () => this.#expire(reference, next));
      this.#socket.write(encodeData(next.job.encode(reference), this.#tpduSize));
    }
  }

  #isPausing(): boolean {
    const left = this.#freeAt - this.#options.clock.monotonic();
    if (left <= 0) return false;
    this.#stopPause ??= this.#options.clock.after(Math.ceil(left / 1000), () => {
      this.#stopPause = null;
      this.#send();
    });
    return true;
  }

  #expire(reference: number, waiting: Waiting): void {
    this.#inFlight.delete(reference);
    if (this.#reader.held > 0 || this.#parts.length > 0) {
      // What comes next would be taken for the rest of it.
      this.#queue.failed(waiting, this.#error("mapper/timeout", "the answer did not end in time"));
      this.#end(this.#error("mapper/bad-answer", "an answer was begun and not ended"));
      return;
    }
    const silent = this.#error("mapper/timeout", `no answer within ${this.#options.line.timeoutMs} ms`);
    const isOver = this.#queue.failed(waiting, silent);
    // A PLC that has said nothing meanwhile would let each read that waits run into a time-out of its own.
    if (isOver && this.#heardAt <= waiting.sentAt) this.#queue.endReads(silent);
    if (++this.#silentTimeouts >= maxSilentTimeouts) {
      this.#lost(`not one byte came during ${this.#silentTimeouts} time-outs`);
      return;
    }
    this.#rest();
    this.#send();
  }

  #rest(): void {
    this.#freeAt = this.#options.clock.monotonic() + this.#options.line.pauseMs * 1000;
  }

  #take(chunk: Uint8Array): void {
    if (this.#ended !== null) return;
    this.#silentTimeouts = 0;
    this.#heardAt = this.#options.clock.monotonic();
    try {
      this.#reader.push(chunk, (cotp) => this.#takeUnit(decodeUnit(cotp)));
    } catch (error) {
      // Where the next packet begins is unknown from here on, so only a new connection can be trusted.
      this.#end(error as AppError);
      return;
    }
    if (this.#ended === null) this.#send();
  }

  #takeUnit(unit: IsoUnit): void {
    if (unit.is === "refused") throw this.#error("mapper/connection-lost", `the PLC ended it, reason ${unit.reason}`);
    if (unit.is === "confirmed") {
      this.#tpduSize = unit.tpduSize;
      this.#confirm?.resolve();
      return;
    }
    this.#parts.push(unit.data);
    const length = this.#parts.reduce((sum, part) => sum + part.length, 0);
    // Answers have two bytes more in their header than questions, and some PLCs do not count them.
    if (length > Math.max(this.terms.pduSize, 240) + 2)
      throw this.#error("mapper/bad-answer", `it sent ${length} bytes`);
    if (!unit.isLast) return;
    const pdu = this.#parts.length === 1 ? unit.data : Buffer.concat(this.#parts, length);
    this.#parts = [];
    for (const reference of packetsInside(pdu)) {
      const age = (this.#reference - reference) & 0xffff;
      if (age < recentJobs) throw this.#error("mapper/bad-answer", "an answer was cut short");
    }
    this.#takeAnswer(decodeAnswer(pdu));
  }

  #takeAnswer(answer: S7Answer): void {
    const waiting = this.#inFlight.get(answer.reference);
    if (waiting === undefined) {
      this.discarded++;
      const { name, log } = this.#options;
      log.debug({ line: name, reference: answer.reference, discarded: this.discarded }, "Late answer discarded");
      return;
    }
    this.#inFlight.delete(answer.reference);
    waiting.stopTimer();
    this.#rest();
    waiting.resolve({ answer, monotonic: this.#options.clock.monotonic() });
  }

  #lost(why: string, cause?: unknown): void {
    this.#end(this.#error("mapper/connection-lost", why, cause));
  }

  #end(error: AppError): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    this.#stopPause?.();
    this.#socket.destroy();
    for (const waiting of this.#inFlight.values()) {
      waiting.stopTimer();
      waiting.reject(error);
    }
    this.#inFlight.clear();
    this.#queue.end(error);
    this.#confirm?.reject(error);
    this.#onEnd(error);
  }

  #error(
    code: "mapper/timeout" | "mapper/bad-answer" | "mapper/device-busy" | "mapper/connection-lost",
    why: string,
    cause?: unknown,
  ): AppError {
    return new AppError(code, `Cannot ask "${this.#options.name}": ${why}`, cause === undefined ? {} : { cause });
  }
}
