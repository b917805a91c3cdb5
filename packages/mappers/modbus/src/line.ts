import type { AppError } from "@penstock/model";

export interface Question {
  readonly unit: number;
  readonly pdu: Uint8Array;
  /** counted from when it is sent */
  readonly timeoutMs: number;
  /** a question whose signal is aborted is not sent any more */
  readonly signal: AbortSignal;
}
export interface Answer {
  readonly pdu: Uint8Array;
  /** microseconds of the clock handed in, when it arrived */
  readonly monotonic: number;
}

/** How a line is used, whatever carries it. Where several Connections share one, the most careful of each counts. */
export interface LineConduct {
  /** questions out at a time, 1..; a line that cannot tell answers apart keeps to 1 */
  readonly inFlight: number;
  /** silence between an answer, or a time-out, and the next question */
  readonly pauseMs: number;
  /** how often a question is asked again that got no or a broken answer */
  readonly retries: number;
}

/**
 * What carries questions to the units behind one address or on one bus, and each answer back to its own question: an
 * answer that comes after its question has timed out belongs to nobody.
 *
 * Writes go before reads that wait, but never more than a few in a row. A question that got no answer is asked again up
 * to `retries` times, a write too: a desired value is a state, so writing it twice does no harm. A unit that has been
 * silent to the last is asked once, without retries, until it has answered again, and what other reads waited for it
 * ends with it: so a dead unit costs the others one time-out.
 */
export interface Line {
  /** questions that may be out at a time: more callers at once only wait */
  readonly maxInFlight: number;
  /** answers that came too late, or to no question */
  readonly discarded: number;
  conduct: LineConduct;
  /** @throws AppError mapper/timeout, connection-lost, bad-answer, device-busy; aborted */
  ask(question: Question): Promise<Answer>;
  /** what waits is rejected with `aborted` */
  close(): void;
}

/** Told once, when a line has ended, by `close` or by itself. @param closed resolves when its place can be opened again */
export type LineEnded = (error: AppError, closed: Promise<void>) => void;
