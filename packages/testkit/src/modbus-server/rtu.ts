import type { Framing, ModbusFrame, Splitter } from "./frame.ts";

/** Modbus over Serial Line V1.02, 2.5.1.1: unit (1), PDU (at most 253), CRC (2) */
const longest = 256;

/** @source Modbus over Serial Line V1.02, 6.2.2: polynomial A001 from the lowest bit, start value FFFF, low byte first */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}

export function encodeRtu({ unit, pdu }: ModbusFrame): Uint8Array {
  const bytes = new Uint8Array(pdu.length + 3);
  bytes[0] = unit;
  bytes.set(pdu, 1);
  const crc = crc16(bytes.subarray(0, -2));
  bytes[pdu.length + 1] = crc & 0xff;
  bytes[pdu.length + 2] = crc >> 8;
  return bytes;
}

/**
 * Cuts requests out of a serial stream. The length of a request follows from its function; of a function that nobody
 * knows only silence tells the end. Once a checksum fails, everything up to the next silence is thrown away.
 */
export class RtuSplitter implements Splitter {
  readonly broken = false;
  badFrames = 0;
  #rest = new Uint8Array(0);
  #isLost = false;
  #counter = 0;

  push(chunk: Uint8Array): ModbusFrame[] {
    if (this.#isLost) return [];
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const frames: ModbusFrame[] = [];
    let at = 0;
    for (;;) {
      const length = requestLength(bytes.subarray(at));
      if (length === null || bytes.length - at < length) break;
      const frame = this.#frame(bytes.subarray(at, at + length));
      if (frame === null) {
        this.#lose();
        return frames;
      }
      frames.push(frame);
      at += length;
    }
    this.#rest = bytes.slice(at);
    if (this.#rest.length > longest) this.#lose();
    return frames;
  }

  silence(): ModbusFrame[] {
    const rest = this.#rest;
    this.#rest = new Uint8Array(0);
    const wasLost = this.#isLost;
    this.#isLost = false;
    if (rest.length === 0 || wasLost) return [];
    const frame = rest.length < 4 ? null : this.#frame(rest);
    if (frame === null) this.badFrames++;
    return frame === null ? [] : [frame];
  }

  #frame(bytes: Uint8Array): ModbusFrame | null {
    const end = bytes.length - 2;
    if (crc16(bytes.subarray(0, end)) !== (bytes[end]! | (bytes[end + 1]! << 8))) return null;
    this.#counter = (this.#counter + 1) & 0xffff;
    return { transaction: this.#counter, unit: bytes[0]!, pdu: bytes.slice(1, end) };
  }

  #lose(): void {
    this.badFrames++;
    this.#isLost = true;
    this.#rest = new Uint8Array(0);
  }
}

/** of a request whose first bytes these are; null while they do not tell */
function requestLength(bytes: Uint8Array): number | null {
  const code = bytes[1];
  if (code === undefined) return null;
  if (code >= 1 && code <= 6) return 8;
  if (code === 22) return 10;
  const countAt = code === 15 || code === 16 ? 6 : code === 23 ? 10 : null;
  if (countAt === null || bytes[countAt] === undefined) return null;
  return countAt + 1 + bytes[countAt] + 2;
}

export const rtuFraming: Framing = { name: "rtu", splitter: () => new RtuSplitter(), encode: encodeRtu };
