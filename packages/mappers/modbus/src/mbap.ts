/** What carries a PDU over TCP. @source Modbus Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3 */
import { AppError } from "@penstock/model";

/** transaction (2), protocol 0 (2), length of what follows (2), unit (1) */
const headerBytes = 7;
/** Modbus Application Protocol V1.1b3, 4.1: a PDU has at most 253 bytes, and with the unit 254 are counted */
const maxCounted = 254;

export function encodeMbap(options: { transaction: number; unit: number; pdu: Uint8Array }): Uint8Array {
  const { transaction, unit, pdu } = options;
  // A Buffer, since a socket would make one of anything else for each question.
  const frame = Buffer.allocUnsafe(headerBytes + pdu.length);
  frame[0] = transaction >> 8;
  frame[1] = transaction & 255;
  frame[2] = 0;
  frame[3] = 0;
  frame[4] = (pdu.length + 1) >> 8;
  frame[5] = (pdu.length + 1) & 255;
  frame[6] = unit;
  frame.set(pdu, headerBytes);
  return frame;
}

export type TakeAnswer = (transaction: number, unit: number, pdu: Uint8Array) => void;

/** Cuts a byte stream into answers. Chunks may end anywhere. */
export class MbapReader {
  #held: Uint8Array = new Uint8Array(0);

  /** bytes of an answer that is not whole yet */
  get held(): number {
    return this.#held.length;
  }

  /**
   * An answer is handed on when what stands behind it in the chunk begins like another: a device that stops in the middle
   * of an answer and goes on with the next would otherwise have its header taken for values.
   *
   * @throws AppError mapper/bad-answer when this is not Modbus; nothing after it can be trusted
   */
  push(chunk: Uint8Array, take: TakeAnswer): void {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let before = -1;
    let at = 0;
    const handOn = () => {
      if (before >= 0)
        take((bytes[before]! << 8) | bytes[before + 1]!, bytes[before + 6]!, bytes.subarray(before + 7, at));
    };
    while (at < bytes.length) {
      checkHeader(bytes, at);
      handOn();
      before = -1;
      if (bytes.length - at < headerBytes) break;
      const end = at + 6 + ((bytes[at + 4]! << 8) | bytes[at + 5]!);
      if (end > bytes.length) break;
      before = at;
      at = end;
    }
    handOn();
    this.#held = bytes.subarray(at);
  }
}

/** of as many bytes as are there */
function checkHeader(bytes: Uint8Array, at: number): void {
  const left = bytes.length - at;
  const counted = left < 6 ? 2 : (bytes[at + 4]! << 8) | bytes[at + 5]!;
  const isProtocol = (left < 3 || bytes[at + 2] === 0) && (left < 4 || bytes[at + 3] === 0);
  if (isProtocol && counted >= 2 && counted <= maxCounted) return;
  const shown = Buffer.from(bytes.subarray(at, at + headerBytes)).toString("hex");
  throw new AppError("mapper/bad-answer", `Cannot read Modbus header "${shown}": need protocol 0, length 2 to 254`);
}

/** Headers of the last questions, by which one is found where it does not belong. */
export class RecentHeaders {
  readonly #tags = new Int32Array(64);

  add(transaction: number, unit: number, code: number): void {
    this.#tags[transaction & 63] = (transaction << 16) | (unit << 8) | code;
  }

  /**
   * True when the answer to one of them begins inside this one: the device has stopped in its middle and gone on with the
   * other. In sound values the same bytes stand once in a blue moon, and then cost a new connection.
   */
  isInside(pdu: Uint8Array): boolean {
    if (pdu.length < 9) return false;
    const bytes = Buffer.from(pdu.buffer, pdu.byteOffset, pdu.length);
    // protocol 0 and the high byte of the length: three zeros behind the transaction
    for (let at = bytes.indexOf(zeros, 4); at >= 0; at = bytes.indexOf(zeros, at + 1)) {
      if (at + 5 >= bytes.length) return false;
      const tag = (bytes[at - 2]! << 24) | (bytes[at - 1]! << 16) | (bytes[at + 4]! << 8) | (bytes[at + 5]! & 0x7f);
      const slot = bytes[at - 1]! & 63;
      if (tag !== 0 && this.#tags[slot] === tag && bytes[at + 3]! >= 2) return true;
    }
    return false;
  }
}
const zeros = Buffer.alloc(3);
