import type { DriverClock, DriverLog } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import type { BytePort, LineErrorCode, LineTiming } from "./byte-port.ts";
import type { Framing } from "./framing.ts";
import type { Answer, Line, LineConduct, LineEnded, Question } from "./line.ts";
import type { OwedAnswers } from "./owed-answers.ts";
import { isWriting, QuestionQueue, type Waiting } from "./question-queue.ts";

/** After a failure adapters and gateways may hand on leftovers: silence for so long before the next question. */
const recoveryMicros = 20_000;
/** A line on which somebody babbles without end is asked all the same. */
const longestWaitMicros = 1_000_000;
/** Modbus over Serial Line V1.02, 2.4.1: time that all units have for a broadcast before the next frame, 100 to 200 ms */
const turnaroundMicros = 100_000;
/** Time-outs with not one byte in between after which a network connection counts as dead, though TCP has not noticed. */
const maxSilentTimeouts = 3;

export interface FramedLineOptions {
  /** as people know it, for messages */
  readonly name: string;
  readonly port: BytePort;
  readonly framing: Framing;
  readonly timing: LineTiming;
  readonly clock: DriverClock;
  readonly log: DriverLog;
  /** a serial line on which nothing answers is not lost: the port would say so */
  readonly isNetwork: boolean;
  /** what the units behind this place owe, from lines before this one too */
  readonly owed: OwedAnswers;
}

/** the question that is out, or its probe */
interface InFlight {
  readonly waiting: Waiting;
  readonly pdu: Uint8Array;
  readonly isProbe: boolean;
  readonly deadline: number;
  /** unit 0: nobody answers, and the line is free again at the deadline */
  readonly isBroadcast: boolean;
}

/**
 * A line on which frames have no number: RTU and ASCII, on wires or over TCP. One question is out at a time. What is no
 * answer to it by unit, function, length and checksum is skipped; after a time-out or a broken answer the line must be
 * silent before the next question, and the unit is not believed until what it may still owe cannot be mistaken any more
 * (OwedAnswers).
 *
 * @source Modbus over Serial Line V1.02, 2.4 (master states) and 2.5.1.1 (framing)
 */
export class FramedLine implements Line {
  readonly maxInFlight = 1;
  discarded = 0;
  #conduct: LineConduct = { inFlight: 1, pauseMs: 0, retries: 0 };
  readonly #options: FramedLineOptions;
  readonly #queue = new QuestionQueue();
  readonly #owed: OwedAnswers;
  readonly #onEnd: LineEnded;
  #inFlight: InFlight | null = null;
  /** its probe has been answered, so it goes next, behind another probe where that answer was an older one's */
  #cleared: Waiting | null = null;
  #heardAt = Number.NEGATIVE_INFINITY;
  /** nothing is sent before */
  #freeAt = 0;
  /** when it was first seen that the line is not silent; null once it was */
  #waitingSince: number | null = null;
  #isRecovering = false;
  #silentTimeouts = 0;
  #stopTimer: (() => void) | null = null;
  #ended: AppError | null = null;

  /** @param onEnd called once, when the line has ended, by `close` or by itself */
  constructor(options: FramedLineOptions, onEnd: LineEnded) {
    this.#options = options;
    this.#onEnd = onEnd;
    this.#owed = options.owed;
    options.port.listen({
      data: (chunk) => this.#hear(chunk),
      spoilt: (why) => this.#spoilt(why),
      ended: (why, cause) => this.#end(this.#error("mapper/connection-lost", why, cause)),
    });
  }

  get conduct(): LineConduct {
    return this.#conduct;
  }

  set conduct(conduct: LineConduct) {
    this.#conduct = conduct;
    this.#queue.retries = conduct.retries;
  }

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#ended);
      if (question.unit === 0 && !isBroadcastable(question.pdu)) {
        return reject(this.#error("mapper/unsupported", "unit 0 is all units at once, and none answers"));
      }
      if (!this.#queue.add(question, { resolve, reject })) {
        return reject(this.#error("mapper/device-busy", "too many questions wait already"));
      }
      this.#proceed();
    });
  }

  close(): void {
    this.#end(new AppError("aborted", `The connection to "${this.#options.name}" was closed`));
  }

  /** Does what is due and sets the one timer for what is due next. */
  #proceed(): void {
    if (this.#ended !== null) return;
    const now = this.#options.clock.monotonic();
    if (this.#inFlight !== null) {
      this.#lookAt(this.#inFlight, now);
      if (this.#ended !== null) return;
    }
    if (this.#inFlight === null) this.#sendNext(now);
    if (this.#inFlight !== null) this.#wakeAt(this.#dueAt(this.#inFlight), now);
  }

  #lookAt(inFlight: InFlight, now: number): void {
    const { framing, timing } = this.#options;
    const isOver = now >= inFlight.deadline;
    if (inFlight.isBroadcast) {
      if (isOver) this.#resolve(inFlight, echoOf(inFlight.pdu), now);
      return;
    }
    const isCut = now >= this.#heardAt + timing.cutMicros;
    if (!isOver && !isCut) return;
    framing.silence((_unit, pdu) => this.#answer(pdu, now));
    if (this.#inFlight !== inFlight) return;
    const who = `unit ${inFlight.waiting.unit}`;
    if (framing.isBroken) {
      this.#fail(inFlight, this.#error("mapper/bad-answer", `${who} answered, but the frame was broken`), now);
    } else if (isOver) {
      const why = `${who} did not answer within ${inFlight.waiting.timeoutMs} ms`;
      this.#fail(inFlight, this.#error("mapper/timeout", why), now);
      this.#silentTimeouts++;
      if (this.#options.isNetwork && this.#silentTimeouts >= maxSilentTimeouts) {
        this.#end(this.#error("mapper/connection-lost", `not one byte came during ${maxSilentTimeouts} time-outs`));
      }
    }
  }

  #dueAt(inFlight: InFlight): number {
    const { framing, timing } = this.#options;
    // A frame that has begun may turn out to be cut before the deadline.
    const isOpen = !inFlight.isBroadcast && (framing.held > 0 || framing.isBroken);
    return isOpen ? Math.min(inFlight.deadline, this.#heardAt + timing.cutMicros) : inFlight.deadline;
  }

  #sendNext(now: number): void {
    if (this.#cleared === null && this.#queue.isEmpty) {
      this.#waitingSince = null;
      return;
    }
    const freeAt = this.#silentAt(now);
    if (freeAt > now) {
      this.#wakeAt(freeAt, now);
      return;
    }
    const cleared = this.#cleared;
    this.#cleared = null;
    if (cleared?.signal.aborted === true) {
      cleared.reject(new AppError("aborted", "The question was called off before it was sent"));
      this.#sendNext(now);
      return;
    }
    const waiting = cleared ?? this.#queue.next();
    if (waiting === undefined) return;
    const { unit, pdu } = waiting;
    const isProbe = unit !== 0 && this.#owed.isAmbiguous(unit, pdu, now);
    this.#send(waiting, { pdu: isProbe ? this.#owed.probe(unit, pdu, now) : pdu, isProbe, now });
  }

  #send(waiting: Waiting, options: { pdu: Uint8Array; isProbe: boolean; now: number }): void {
    const { pdu, isProbe, now } = options;
    const { port, framing, timing } = this.#options;
    const { unit } = waiting;
    const isBroadcast = unit === 0;
    const bytes = framing.encode({ unit, pdu });
    const answerBytes = isBroadcast ? 0 : framing.answerBytes(pdu);
    const wireMicros = (bytes.length + answerBytes) * timing.byteMicros;
    const patience = isBroadcast ? turnaroundMicros : waiting.timeoutMs * 1000;
    waiting.sentAt = now;
    this.#waitingSince = null;
    this.#isRecovering = false;
    this.#inFlight = { waiting, pdu, isProbe, isBroadcast, deadline: now + wireMicros + patience };
    framing.expect({ unit, pdu });
    port.write(bytes);
  }

  /** @returns when the line will have been silent for long enough, as far as is known now */
  #silentAt(now: number): number {
    const silence = this.#isRecovering ? recoveryMicros : 0;
    const at = Math.max(this.#freeAt, this.#heardAt + Math.max(silence, this.#options.timing.silenceMicros));
    if (at <= now) return now;
    this.#waitingSince ??= now;
    return Math.min(at, Math.max(this.#freeAt, this.#waitingSince + longestWaitMicros));
  }

  #hear(chunk: Uint8Array): void {
    if (this.#ended !== null || chunk.length === 0) return;
    const now = this.#options.clock.monotonic();
    this.#heardAt = now;
    this.#silentTimeouts = 0;
    const inFlight = this.#inFlight;
    if (inFlight === null || inFlight.isBroadcast) {
      this.#discard(chunk.length);
    } else {
      this.#options.framing.push(chunk, (_unit, pdu) => this.#answer(pdu, now));
      // What stands behind an answer was not asked for, so it is late, and more of it may come.
      if (this.#inFlight === null && this.#options.framing.held > 0) this.#discard(this.#options.framing.held);
    }
    this.#proceed();
  }

  #spoilt(why: string): void {
    if (this.#ended !== null) return;
    const inFlight = this.#inFlight;
    const now = this.#options.clock.monotonic();
    // What belongs to it may still be on its way: the next question waits until it has passed.
    this.#heardAt = now;
    if (inFlight === null) this.#isRecovering = true;
    else this.#fail(inFlight, this.#error("mapper/bad-answer", why), now);
    this.#proceed();
  }

  #answer(pdu: Uint8Array, now: number): void {
    const inFlight = this.#inFlight;
    if (inFlight === null) {
      this.#discard(pdu.length);
      return;
    }
    const { waiting, isProbe } = inFlight;
    const { unit } = waiting;
    const isRefusal = (pdu[0]! & 0x80) !== 0;
    const isSure = this.#owed.answered({ unit, pdu: inFlight.pdu, isRefusal, now });
    if (isProbe) {
      this.#free(now);
      this.#cleared = waiting;
    } else if (!isSure) {
      this.#free(now);
      const why = `unit ${unit} refused, perhaps the question before`;
      this.#queue.failed(waiting, this.#error("mapper/bad-answer", why));
    } else {
      this.#resolve(inFlight, pdu, now);
    }
  }

  #resolve(inFlight: InFlight, pdu: Uint8Array, now: number): void {
    this.#free(now);
    this.#queue.answered(inFlight.waiting, { pdu, monotonic: now });
  }

  #fail(inFlight: InFlight, error: AppError, now: number): void {
    if (!inFlight.isBroadcast) this.#owed.add(inFlight.waiting.unit, inFlight.pdu, now);
    this.#free(now);
    this.#isRecovering = true;
    this.#queue.failed(inFlight.waiting, error);
  }

  #free(now: number): void {
    this.#inFlight = null;
    this.#freeAt = now + Math.max(this.#options.timing.silenceMicros, this.#conduct.pauseMs * 1000);
  }

  #discard(bytes: number): void {
    this.discarded++;
    this.#isRecovering = true;
    this.#options.log.debug({ line: this.#options.name, bytes, discarded: this.discarded }, "Late bytes discarded");
  }

  #wakeAt(at: number, now: number): void {
    this.#stopTimer?.();
    // Timers may end a little early; then this is asked again.
    this.#stopTimer = this.#options.clock.after(Math.max(0, Math.ceil((at - now) / 1000)), () => this.#proceed());
  }

  #end(error: AppError): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    this.#stopTimer?.();
    const closed = this.#options.port.close();
    // Its answer may come on the next line to the same place.
    const out = this.#inFlight;
    if (out !== null) this.#owed.add(out.waiting.unit, out.pdu, this.#options.clock.monotonic());
    const waiting = [this.#inFlight?.waiting, this.#cleared];
    this.#inFlight = null;
    this.#cleared = null;
    for (const one of waiting) one?.reject(error);
    this.#queue.end(error);
    this.#onEnd(error, closed);
  }

  #error(code: LineErrorCode, why: string, cause?: unknown): AppError {
    const message = `Cannot ask "${this.#options.name}": ${why}`;
    return new AppError(code, message, cause === undefined ? {} : { cause });
  }
}

/** Modbus Application Protocol V1.1b3, 6.17: function 23 writes and reads, so it needs an answer */
function isBroadcastable(pdu: Uint8Array): boolean {
  return isWriting(pdu) && pdu[0] !== 23;
}

/** what a unit that took the write would have said */
function echoOf(pdu: Uint8Array): Uint8Array {
  return pdu[0] === 15 || pdu[0] === 16 ? pdu.subarray(0, 5) : pdu;
}
