/** What carries a PDU over TCP. @source Modbus Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3 */
import { AppError } from "@penstock/model";

/** transaction (2), protocol 0 (2), length of what follows (2), unit (1) */
const headerBytes = 7;
/** Modbus Application Protocol V1.1b3, 4.1: a PDU has at most 253 bytes, and with the unit 254 are counted */
const maxCounted = 254;

export function encodeMbap(options: { transaction: number; unit: number; pdu: Uint8Array }): Uint8Array {
  const { transaction, unit, pdu } = options;
  const frame = new Uint8Array(headerBytes + pdu.length);
  frame[0] = transaction >> 8;
  frame[1] = transaction & 255;
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

  /** @throws AppError mapper/bad-answer when this is not Modbus; nothing after it can be trusted */
  push(chunk: Uint8Array, take: TakeAnswer): void {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let at = 0;
    while (bytes.length - at >= headerBytes) {
      const counted = (bytes[at + 4]! << 8) | bytes[at + 5]!;
      if (bytes[at + 2] !== 0 || bytes[at + 3] !== 0 || counted < 2 || counted > maxCounted) {
        const shown = Buffer.from(bytes.subarray(at, at + headerBytes)).toString("hex");
        throw new AppError(
          "mapper/bad-answer",
          `Cannot read Modbus header "${shown}": need protocol 0, length 2 to 254`,
        );
      }
      const end = at + 6 + counted;
      if (end > bytes.length) break;
      take((bytes[at]! << 8) | bytes[at + 1]!, bytes[at + 6]!, bytes.subarray(at + headerBytes, end));
      at = end;
    }
    this.#held = bytes.subarray(at);
  }
}
