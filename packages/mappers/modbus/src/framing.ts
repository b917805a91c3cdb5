import { AsciiReader, encodeAscii } from "./ascii-frame.ts";
import { answerLength, encodeRtu, normalLength, RtuReader, type TakeFrame } from "./rtu-frame.ts";

/** How frames stand in a stream of bytes that numbers no questions. */
export interface Framing {
  encode(options: { unit: number; pdu: Uint8Array }): Uint8Array;
  /** forgets everything, and waits for the answer to this question */
  expect(question: { unit: number; pdu: Uint8Array }): void;
  push(chunk: Uint8Array, take: TakeFrame): void;
  /** nothing more belongs to what has come */
  silence(take: TakeFrame): void;
  /** what has come began like the answer and cannot become it any more */
  readonly isBroken: boolean;
  /** bytes that are not yet a frame */
  readonly held: number;
  /** bytes of the answer to a question, as far as the question says it */
  answerBytes(pdu: Uint8Array): number;
}

export function rtuFraming(): Framing {
  const reader = new RtuReader(() => -1);
  return {
    encode: encodeRtu,
    expect(question) {
      reader.clear();
      reader.broken = 0;
      reader.length = answerLength(question);
    },
    push: (chunk, take) => reader.push(chunk, take),
    silence: (take) => reader.silence(take),
    get isBroken() {
      return reader.broken > 0;
    },
    get held() {
      return reader.held;
    },
    answerBytes: answerBytes,
  };
}

export function asciiFraming(): Framing {
  const reader = new AsciiReader();
  let length = answerLength({ unit: 0, pdu: new Uint8Array(1) });
  const onlyAnswers =
    (take: TakeFrame): TakeFrame =>
    (unit, pdu) => {
      // As it would stand in RTU: unit, PDU and two bytes of CRC.
      const frame = Uint8Array.of(unit, ...pdu, 0, 0);
      const expected = length(frame, 0);
      if (expected === frame.length || expected === 0) take(unit, pdu);
    };
  return {
    encode: encodeAscii,
    expect(question) {
      reader.clear();
      reader.broken = 0;
      length = answerLength(question);
    },
    push: (chunk, take) => reader.push(chunk, onlyAnswers(take)),
    silence() {
      // Its end is written, and 2.5.2.1 lets a second pass between two characters.
    },
    get isBroken() {
      return reader.broken > 0;
    },
    get held() {
      return reader.held;
    },
    // two digits a byte, one of LRC instead of two of CRC, colon, CR and LF
    answerBytes: (pdu) => answerBytes(pdu) * 2 + 1,
  };
}

/** Functions whose answer's length is not known are given the longest that most of them have. */
function answerBytes(pdu: Uint8Array): number {
  return normalLength(pdu[0]!, ((pdu[3] ?? 0) << 8) | (pdu[4] ?? 0)) || 64;
}
