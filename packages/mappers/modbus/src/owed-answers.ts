import { normalLength } from "./rtu-frame.ts";

/**
 * How long a device may be late with an answer. Serial frames have no number, so nothing else tells an answer that comes
 * this late from the answer to the same question asked again.
 */
export const owedForMs = 10_000;

/** A unit that is asked this often without ever answering is dead rather than late; the oldest are forgotten then. */
const mostOwed = 256;

interface Owed {
  readonly code: number;
  /** of the answer, as an RTU frame */
  readonly length: number;
  /** monotonic microseconds */
  readonly until: number;
}

/**
 * Answers that units still owe, because their question timed out or the answer was broken. A frame on a serial line does
 * not say which question it answers: the next question with an answer of the same function and length could take the late
 * one for its own, and then every value would be one question behind. So such a question is preceded by a probe, a read of
 * another length: a unit answers in order, so once the probe's answer is there, nothing older can come.
 */
export class OwedAnswers {
  /** by unit, oldest first */
  readonly #units = new Map<number, Owed[]>();

  get isEmpty(): boolean {
    return this.#units.size === 0;
  }

  /** the question has been given up, its answer may still come */
  add(unit: number, pdu: Uint8Array, now: number): void {
    const owed = [...this.#live(unit, now), owing(pdu, now)];
    this.#units.set(unit, owed.slice(-mostOwed));
  }

  /**
   * A frame has come that answers `pdu`, or an older question that it cannot be told from. The oldest that it fits and all
   * before are settled, since a unit answers in order; what came after may still be owed.
   *
   * @param isRefusal it names the function only, so it fits more
   * @returns false when it may be an older one's
   */
  answered(options: { unit: number; pdu: Uint8Array; isRefusal: boolean; now: number }): boolean {
    const { unit, pdu, isRefusal, now } = options;
    if (this.#units.size === 0) return true;
    const asked = owing(pdu, now);
    const all = [...this.#live(unit, now), asked];
    const first = all.findIndex(({ code, length }) => code === asked.code && (isRefusal || length === asked.length));
    const left = all.slice(first + 1);
    if (left.length === 0) this.#units.delete(unit);
    else this.#units.set(unit, left);
    return left.length === 0;
  }

  /** true when a good answer of this question cannot be told from a late one */
  isAmbiguous(unit: number, pdu: Uint8Array, now: number): boolean {
    if (this.#units.size === 0) return false;
    const asked = owing(pdu, now);
    return this.#live(unit, now).some(({ code, length }) => code === asked.code && length === asked.length);
  }

  /** A read whose answer is like none that is owed; of the same place where the question is a read, so that it is there. */
  probe(unit: number, pdu: Uint8Array, now: number): Uint8Array {
    const isRead = pdu[0]! <= 4;
    const code = isRead ? pdu[0]! : 3;
    const [high, low] = isRead ? [pdu[1]!, pdu[2]!] : [0, 0];
    const each = code <= 2 ? 8 : 1; // bits are counted in bytes
    const taken = new Set(this.#live(unit, now).map(({ code, length }) => `${code} ${length}`));
    const own = normalLength(code, isRead ? (pdu[3]! << 8) | pdu[4]! : 0);
    let quantity = each;
    while (
      quantity < 100 * each &&
      (normalLength(code, quantity) === own || taken.has(`${code} ${normalLength(code, quantity)}`))
    ) {
      quantity += each;
    }
    return Uint8Array.of(code, high, low, quantity >> 8, quantity & 255);
  }

  #live(unit: number, now: number): Owed[] {
    const live = this.#units.get(unit)?.filter(({ until }) => until > now) ?? [];
    if (live.length === 0) this.#units.delete(unit);
    return live;
  }
}

function owing(pdu: Uint8Array, now: number): Owed {
  const code = pdu[0]!;
  const length = normalLength(code, ((pdu[3] ?? 0) << 8) | (pdu[4] ?? 0));
  return { code, length, until: now + owedForMs * 1000 };
}
