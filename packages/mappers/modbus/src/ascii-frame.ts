/**
 * What carries a PDU on a serial line in characters: ':', unit, PDU and LRC as hexadecimal digits, CR LF.
 *
 * @source Modbus over Serial Line V1.02, 2.5.2 (ASCII) and 6.2.1 (LRC)
 */
import type { TakeFrame } from "./rtu-frame.ts";

/** 2.5.2.1: ':' (1), two digits for unit, PDU of at most 253 bytes and LRC, CR LF (2) */
export const maxAsciiBytes = 513;

const [colon, carriageReturn, lineFeed] = [0x3a, 0x0d, 0x0a];

/** 6.2.1: what makes the sum of all bytes 0 */
export function lrc(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return -sum & 255;
}

export function encodeAscii(options: { unit: number; pdu: Uint8Array }): Uint8Array {
  const { unit, pdu } = options;
  const body = Buffer.alloc(pdu.length + 2);
  body[0] = unit;
  body.set(pdu, 1);
  body[pdu.length + 1] = lrc(body.subarray(0, pdu.length + 1));
  return Buffer.from(`:${body.toString("hex").toUpperCase()}\r\n`, "latin1");
}

/** Finds frames in a stream of characters. Chunks may end anywhere; what is no frame, or a broken one, is skipped. */
export class AsciiReader {
  /** characters that were no part of a frame */
  skipped = 0;
  /** lines with a wrong LRC or digit, or too long */
  broken = 0;
  #held: number[] = [];

  get held(): number {
    return this.#held.length;
  }

  push(chunk: Uint8Array, take: TakeFrame): void {
    for (const byte of chunk) {
      // 2.5.2: a colon begins a frame, wherever the one before was
      if (byte === colon) {
        this.clear();
        this.#held.push(byte);
      } else if (this.#held.length === 0) {
        this.skipped++;
      } else {
        this.#held.push(byte);
        if (byte === lineFeed) this.#end(take);
        else if (this.#held.length >= maxAsciiBytes) this.#break();
      }
    }
  }

  clear(): void {
    this.skipped += this.#held.length;
    this.#held = [];
  }

  #end(take: TakeFrame): void {
    const bytes = decodeAscii(this.#held);
    if (bytes === null) {
      this.#break();
      return;
    }
    this.#held = [];
    take(bytes[0]!, bytes.subarray(1, -1));
  }

  #break(): void {
    this.broken++;
    this.clear();
  }
}

/** @returns unit, PDU and LRC; null when it is no sound frame */
function decodeAscii(held: readonly number[]): Uint8Array | null {
  const text = String.fromCharCode(...held);
  // Lower-case digits are against 2.5.2.1 and yet sent by some.
  if (held.at(-2) !== carriageReturn || !/^:([0-9A-Fa-f]{2}){3,}\r\n$/.test(text)) return null;
  const bytes = Uint8Array.from(Buffer.from(text.slice(1, -2), "hex"));
  return lrc(bytes) === 0 ? bytes : null;
}
