/**
 * What carries a PDU on a serial line, or over TCP without a header: unit, PDU, CRC-16.
 *
 * @source Modbus over Serial Line V1.02, 2.5.1 (RTU) and 6.2.2 (CRC)
 */

/** 2.5.1.1: unit (1), PDU (1 to 253), CRC (2) */
export const maxRtuBytes = 256;
const minRtuBytes = 4;

const crcTable = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  return crc;
});

/** 6.2.2: polynomial A001 from FFFF, sent low byte first. A frame with its own CRC behind it gives 0. */
export function crc16(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let crc = 0xffff;
  for (let at = start; at < end; at++) crc = (crc >> 8) ^ crcTable[(crc ^ bytes[at]!) & 255]!;
  return crc;
}

export function encodeRtu(options: { unit: number; pdu: Uint8Array }): Uint8Array {
  const { unit, pdu } = options;
  const frame = new Uint8Array(pdu.length + 3);
  frame[0] = unit;
  frame.set(pdu, 1);
  const crc = crc16(frame, 0, pdu.length + 1);
  frame[pdu.length + 1] = crc & 255;
  frame[pdu.length + 2] = crc >> 8;
  return frame;
}

/** One frame. The PDU is a view of bytes that are not written again. */
export type TakeFrame = (unit: number, pdu: Uint8Array) => void;

/**
 * How long the frame that begins at `at` is, its CRC included; 0 when that cannot be said of the bytes up to now; -1 when
 * none that is waited for begins there.
 */
export type FrameLength = (bytes: Uint8Array, at: number) => number;

/** Of a request, by its function. @source Modbus Application Protocol V1.1b3, 6 */
export function requestLength(bytes: Uint8Array, at: number): number {
  const counted = (place: number, besides: number) => {
    const count = bytes[at + place];
    if (count === undefined) return 0;
    const length = besides + count;
    return length > maxRtuBytes ? -1 : length;
  };
  const code = bytes[at + 1];
  if (code === undefined) return 0;
  if (code >= 1 && code <= 6) return 8;
  if (code === 15 || code === 16) return counted(6, 9);
  if (code === 22) return 10;
  if (code === 23) return counted(10, 13);
  // An answer's exception bit, or a function that nobody has: no request begins like that.
  if (code === 0 || code > 127) return -1;
  return 0; // of other functions only silence tells the end
}

/** Of the answer to one question: its unit, its function and byte count, or its exception. */
export function answerLength(question: { unit: number; pdu: Uint8Array }): FrameLength {
  const { unit, pdu } = question;
  const code = pdu[0]!;
  const quantity = ((pdu[3] ?? 0) << 8) | (pdu[4] ?? 0);
  const length = normalLength(code, quantity);
  const count = isCounted(code) ? length - 5 : -1;
  return (bytes, at) => {
    if (bytes[at] !== unit) return -1;
    const got = bytes[at + 1];
    if (got === undefined) return 0;
    if (got === (code | 0x80)) return 5;
    if (got !== code) return -1;
    if (count < 0) return length;
    const stated = bytes[at + 2];
    if (stated === undefined) return 0;
    return stated === count ? length : -1;
  };
}

/** The answer of a device that does what it was asked, in bytes of an RTU frame; 0 when only silence tells. */
export function normalLength(code: number, quantity: number): number {
  if (code === 1 || code === 2) return 5 + ((quantity + 7) >> 3);
  if (code === 3 || code === 4 || code === 23) return 5 + quantity * 2;
  if (code === 5 || code === 6 || code === 15 || code === 16) return 8;
  return code === 22 ? 10 : 0;
}
const isCounted = (code: number) => (code >= 1 && code <= 4) || code === 23;

/**
 * Finds frames in a stream of bytes by their length and CRC. Chunks may end anywhere, since adapters cut frames as they
 * like; bytes that belong to no frame are skipped. What looks like a frame and never becomes whole holds the bytes behind
 * it back only until `silence` is called.
 */
export class RtuReader {
  /** what is waited for; a question's answer, or requests */
  length: FrameLength;
  /** bytes that were no part of a frame */
  skipped = 0;
  /** what began like a frame that is waited for, and had a wrong CRC or no end */
  broken = 0;
  #held: Uint8Array = new Uint8Array(0);

  constructor(length: FrameLength) {
    this.length = length;
  }

  get held(): number {
    return this.#held.length;
  }

  push(chunk: Uint8Array, take: TakeFrame): void {
    this.#held = this.#held.length === 0 ? Uint8Array.from(chunk) : Buffer.concat([this.#held, chunk]);
    this.#scan(take);
  }

  /** Nothing came for longer than a frame may pause (2.5.1.1: 3.5 characters): what is held is a frame, or holds some. */
  silence(take: TakeFrame): void {
    const whole = this.#held;
    if (isSound(whole, 0, whole.length) && this.length(whole, 0) >= 0) {
      this.#held = new Uint8Array(0);
      take(whole[0]!, whole.subarray(1, -2));
      return;
    }
    while (this.#held.length > 0) {
      this.broken++;
      this.#skip(1);
      this.#scan(take);
    }
  }

  clear(): void {
    this.#skip(this.#held.length);
  }

  #scan(take: TakeFrame): void {
    while (this.#held.length > 0) {
      const bytes = this.#held;
      const length = this.length(bytes, 0);
      if (length === 0 && bytes.length <= maxRtuBytes) return;
      if (length > bytes.length) return;
      if (length <= 0 || !isSound(bytes, 0, length)) {
        if (length > 0) this.broken++;
        this.#skip(1);
        continue;
      }
      this.#held = bytes.subarray(length);
      take(bytes[0]!, bytes.subarray(1, length - 2));
    }
  }

  #skip(count: number): void {
    this.skipped += count;
    this.#held = this.#held.subarray(count);
  }
}

function isSound(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= minRtuBytes && end - start <= maxRtuBytes && crc16(bytes, start, end) === 0;
}
