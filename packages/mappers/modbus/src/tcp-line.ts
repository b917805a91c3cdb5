import type { Socket } from "node:net";
import type { DriverClock, DriverLog } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import type { LineErrorCode } from "./byte-port.ts";
import type { Answer, Line, LineConduct, LineEnded, Question } from "./line.ts";
import { encodeMbap, MbapReader, RecentHeaders } from "./mbap.ts";
import { QuestionQueue, type Waiting } from "./question-queue.ts";

export interface LineOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: DriverClock;
  readonly log: DriverLog;
}

/** Rounds of time-outs with not one byte in between after which the line counts as dead, though TCP has not noticed. */
const maxSilentTimeouts = 3;

/**
 * One TCP connection to a Modbus server, shared by all devices behind it: questions wait in one queue, and at most
 * `maxInFlight` are out. An answer belongs to the question with its transaction id; one that comes after its
 * question has timed out belongs to none and is discarded.
 *
 * @source Modbus Messaging on TCP/IP Implementation Guide V1.0b, 4.2 (transactions) and 4.4.1 (client)
 */
export class TcpLine implements Line {
  discarded = 0;
  #conduct: LineConduct = { inFlight: 1, pauseMs: 0, retries: 0 };
  readonly #socket: Socket;
  readonly #options: LineOptions;
  readonly #reader = new MbapReader();
  readonly #queue = new QuestionQueue();
  readonly #inFlight = new Map<number, Waiting>();
  readonly #recent = new RecentHeaders();
  #transaction: number;
  #silentTimeouts = 0;
  #isHolding = false;
  /** nothing is sent before; counts only where the line is to pause */
  #freeAt = 0;
  #stopPause: (() => void) | null = null;
  #stopTimer: (() => void) | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #ended: AppError | null = null;
  readonly #onEnd: LineEnded;

  /** @param onEnd called once, when the line has ended, by `close` or by itself */
  constructor(socket: Socket, options: LineOptions, onEnd: LineEnded) {
    this.#socket = socket;
    this.#options = options;
    this.#onEnd = onEnd;
    // Elsewhere on each connection, so that what once looked like a header does not look like one again.
    this.#transaction = options.clock.monotonic() & 0xffff;
    // A question is one small packet: waiting for more to send with it would cost its round trip.
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 10_000);
    socket.on("data", (chunk) => this.#take(chunk));
    socket.on("error", (cause) => this.#lost(`${cause.message}`, cause));
    socket.on("close", () => this.#lost("the device closed it"));
  }

  get conduct(): LineConduct {
    return this.#conduct;
  }

  set conduct(conduct: LineConduct) {
    this.#conduct = conduct;
    this.#queue.retries = conduct.retries;
  }

  get maxInFlight(): number {
    return this.#conduct.inFlight;
  }

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#ended);
      if (!this.#queue.add(question, { resolve, reject })) {
        return reject(this.#error("mapper/device-busy", "too many questions wait already"));
      }
      this.#send();
    });
  }

  close(): void {
    this.#end(new AppError("aborted", `The connection to "${this.#name}" was closed`));
  }

  get #name(): string {
    return `${this.#options.host}:${this.#options.port}`;
  }

  #send(): void {
    while (this.#inFlight.size < this.#conduct.inFlight) {
      if (this.#conduct.pauseMs > 0 && this.#isPausing()) return;
      const next = this.#queue.next();
      if (next === undefined) return;
      do this.#transaction = (this.#transaction + 1) & 0xffff;
      while (this.#inFlight.has(this.#transaction));
      next.sentAt = this.#options.clock.monotonic();
      next.deadline = next.sentAt + next.timeoutMs * 1000;
      this.#inFlight.set(this.#transaction, next);
      this.#recent.add(this.#transaction, next.unit, next.pdu[0]!);
      this.#holdWrites();
      this.#socket.write(encodeMbap({ transaction: this.#transaction, unit: next.unit, pdu: next.pdu }));
      if (next.deadline < this.#timerAt) this.#setTimer(next.deadline);
    }
  }

  /** Questions that are asked in one go leave in one packet: where several may be out, sending each costs most of the time. */
  #holdWrites(): void {
    if (this.#isHolding || this.#conduct.inFlight === 1) return;
    this.#isHolding = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#isHolding = false;
      this.#socket.uncork();
    });
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

  /** One timer for the line rather than one a question: it is set to the first deadline, and again while anything is out. */
  #expire(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#options.clock.monotonic();
    let isSilent = false;
    let next = Number.POSITIVE_INFINITY;
    for (const [transaction, waiting] of this.#inFlight) {
      if (waiting.deadline > now) {
        next = Math.min(next, waiting.deadline);
        continue;
      }
      this.#inFlight.delete(transaction);
      isSilent = true;
      const why = `unit ${waiting.unit} did not answer within ${waiting.timeoutMs} ms`;
      this.#queue.failed(waiting, this.#error("mapper/timeout", why));
    }
    if (isSilent && this.#reader.held > 0) {
      // What comes next would be taken for the rest of it.
      this.#end(this.#error("mapper/bad-answer", "an answer was begun and not ended"));
      return;
    }
    if (isSilent) {
      this.#silentTimeouts++;
      this.#freeAt = now + this.#conduct.pauseMs * 1000;
    }
    if (this.#silentTimeouts >= maxSilentTimeouts) {
      this.#lost(`not one byte came during ${this.#silentTimeouts} time-outs`);
      return;
    }
    if (next !== Number.POSITIVE_INFINITY) this.#setTimer(next);
    this.#send();
  }

  #setTimer(deadline: number): void {
    this.#stopTimer?.();
    this.#timerAt = deadline;
    const delayMs = Math.max(0, Math.ceil((deadline - this.#options.clock.monotonic()) / 1000));
    this.#stopTimer = this.#options.clock.after(delayMs, () => this.#expire());
  }

  #take(chunk: Uint8Array): void {
    if (this.#ended !== null) return;
    this.#silentTimeouts = 0;
    const monotonic = this.#options.clock.monotonic();
    try {
      this.#reader.push(chunk, (transaction, unit, pdu) => {
        const waiting = this.#inFlight.get(transaction);
        if (waiting === undefined) {
          this.discarded++;
          this.#options.log.debug(
            { line: this.#name, transaction, discarded: this.discarded },
            "Late answer discarded",
          );
          return;
        }
        if (this.#recent.isInside(pdu)) throw this.#error("mapper/bad-answer", "an answer was cut short");
        this.#inFlight.delete(transaction);
        if (unit === waiting.unit) this.#queue.answered(waiting, { pdu, monotonic });
        else {
          const why = `unit ${unit} answered for unit ${waiting.unit}`;
          this.#queue.failed(waiting, this.#error("mapper/bad-answer", why));
        }
      });
    } catch (error) {
      // Where the next answer begins is unknown from here on, so only a new connection can be trusted.
      this.#end(error as AppError);
      return;
    }
    this.#freeAt = monotonic + this.#conduct.pauseMs * 1000;
    this.#send();
  }

  #lost(why: string, cause?: unknown): void {
    this.#end(this.#error("mapper/connection-lost", why, cause));
  }

  #end(error: AppError): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    this.#stopTimer?.();
    this.#stopPause?.();
    this.#socket.destroy();
    const waiting = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (const { reject } of waiting) reject(error);
    this.#queue.end(error);
    this.#onEnd(error, Promise.resolve());
  }

  #error(code: LineErrorCode, why: string, cause?: unknown): AppError {
    return new AppError(code, `Cannot ask "${this.#name}": ${why}`, cause === undefined ? {} : { cause });
  }
}
