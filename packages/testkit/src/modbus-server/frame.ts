/** One Modbus TCP frame without its length field: what stands between two ends besides time. */
export interface ModbusFrame {
  readonly transaction: number;
  readonly unit: number;
  /** function code and data */
  readonly pdu: Uint8Array;
}

export const headerBytes = 7;
/** @source Modbus Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3: unit (1) and PDU (at most 253) */
const maxLength = 254;

export function encodeFrame(frame: ModbusFrame): Uint8Array {
  const bytes = new Uint8Array(headerBytes + frame.pdu.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, frame.transaction);
  view.setUint16(4, frame.pdu.length + 1);
  bytes[6] = frame.unit;
  bytes.set(frame.pdu, headerBytes);
  return bytes;
}

/** How frames stand on a wire: Modbus TCP here, serial lines in rtu.ts and ascii.ts. */
export interface Framing {
  readonly name: "tcp" | "rtu" | "ascii";
  splitter(): Splitter;
  encode(frame: ModbusFrame): Uint8Array;
}
export interface Splitter {
  /** nothing after this can be trusted: the connection has to end */
  readonly broken: boolean;
  /** frames that failed their checksum */
  readonly badFrames: number;
  /** whole frames, in order */
  push(chunk: Uint8Array): ModbusFrame[];
  /** the wire has been silent for longer than a frame may pause; what is left over is a frame or nothing */
  silence(): ModbusFrame[];
}

/** Cuts a byte stream into frames. `broken` once the stream is no Modbus TCP: nothing after that can be trusted. */
export class FrameSplitter implements Splitter {
  broken = false;
  readonly badFrames = 0;
  #rest: Uint8Array = new Uint8Array(0);

  push(chunk: Uint8Array): ModbusFrame[] {
    if (this.broken) return [];
    let bytes = chunk;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
    }
    const frames: ModbusFrame[] = [];
    let at = 0;
    while (bytes.length - at >= headerBytes) {
      const protocol = (bytes[at + 2]! << 8) | bytes[at + 3]!;
      const length = (bytes[at + 4]! << 8) | bytes[at + 5]!;
      if (protocol !== 0 || length < 2 || length > maxLength) {
        this.broken = true;
        break;
      }
      const end = at + 6 + length;
      if (end > bytes.length) break;
      frames.push({
        transaction: (bytes[at]! << 8) | bytes[at + 1]!,
        unit: bytes[at + 6]!,
        pdu: bytes.subarray(at + headerBytes, end),
      });
      at = end;
    }
    this.#rest = bytes.slice(at);
    return frames;
  }

  silence(): ModbusFrame[] {
    return [];
  }
}

export const tcpFraming: Framing = { name: "tcp", splitter: () => new FrameSplitter(), encode: encodeFrame };
