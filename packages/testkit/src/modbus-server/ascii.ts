import type { Framing, ModbusFrame, Splitter } from "./frame.ts";

/** Modbus over Serial Line V1.02, 2.5.2.1: colon, two characters a byte of unit (1), PDU (253) and LRC (1), CR, LF */
const longest = 1 + 2 * 255 + 2;

/** @source Modbus over Serial Line V1.02, 6.2.1: two's complement of the sum of bytes */
export function lrc(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return -sum & 0xff;
}

export function encodeAscii({ unit, pdu }: ModbusFrame): Uint8Array {
  const bytes = Uint8Array.of(unit, ...pdu);
  const text = [...bytes, lrc(bytes)].map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join("");
  return new TextEncoder().encode(`:${text}\r\n`);
}

/** Cuts requests out of a serial stream: whatever stands before a colon is noise. */
export class AsciiSplitter implements Splitter {
  readonly broken = false;
  badFrames = 0;
  #text = "";
  #counter = 0;

  push(chunk: Uint8Array): ModbusFrame[] {
    this.#text += String.fromCharCode(...chunk);
    const frames: ModbusFrame[] = [];
    for (let end = this.#text.indexOf("\r\n"); end >= 0; end = this.#text.indexOf("\r\n")) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      const frame = this.#frame(line.slice(line.lastIndexOf(":") + 1));
      if (line.includes(":") && frame !== null) frames.push(frame);
      else this.badFrames++;
    }
    if (this.#text.length > longest) {
      this.badFrames++;
      this.#text = "";
    }
    return frames;
  }

  /** A pause of up to a second may stand between two characters (2.5.2.1), so silence means nothing here. */
  silence(): ModbusFrame[] {
    return [];
  }

  #frame(hex: string): ModbusFrame | null {
    if (!/^(?:[0-9A-F]{2}){3,255}$/.test(hex)) return null;
    const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    const end = bytes.length - 1;
    if (lrc(bytes.subarray(0, end)) !== bytes[end]) return null;
    this.#counter = (this.#counter + 1) & 0xffff;
    return { transaction: this.#counter, unit: bytes[0]!, pdu: bytes.slice(1, end) };
  }
}

export const asciiFraming: Framing = { name: "ascii", splitter: () => new AsciiSplitter(), encode: encodeAscii };
