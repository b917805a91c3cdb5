/** One WebSocket frame as it stands on the line. */
export interface RawFrame {
  /** header and mask included */
  readonly bytes: Uint8Array;
  /** a whole binary message, unmasked; null for the HTTP head, a part of a message, ping, pong and close */
  readonly message: Uint8Array | null;
}

interface Shape {
  readonly headerBytes: number;
  readonly payloadBytes: number;
  readonly mask: Uint8Array | null;
}

/**
 * Cuts the bytes of one direction into the HTTP head and whole WebSocket frames, without changing a bit.
 *
 * @source RFC 6455, 5.2
 */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0);
  #isPastHead = false;

  /** @returns the head first, then each frame that is complete */
  push(chunk: Uint8Array): RawFrame[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const frames: RawFrame[] = [];
    if (!this.#isPastHead) {
      const end = this.#rest.indexOf("\r\n\r\n");
      if (end < 0) return frames;
      frames.push({ bytes: this.#take(end + 4), message: null });
      this.#isPastHead = true;
    }
    for (let shape = shapeOf(this.#rest); shape !== null; shape = shapeOf(this.#rest)) {
      const bytes = this.#take(shape.headerBytes + shape.payloadBytes);
      const isWholeBinary = bytes[0] === 0x82;
      frames.push({ bytes, message: isWholeBinary ? unmasked(bytes.subarray(shape.headerBytes), shape.mask) : null });
    }
    return frames;
  }

  #take(length: number): Uint8Array {
    const bytes = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return bytes;
  }
}

/** @returns null while the frame that begins the bytes is not complete */
function shapeOf(bytes: Buffer): Shape | null {
  if (bytes.length < 2) return null;
  const short = bytes[1]! & 0x7f;
  const lengthEnd = 2 + (short === 127 ? 8 : short === 126 ? 2 : 0);
  const isMasked = (bytes[1]! & 0x80) !== 0;
  const headerBytes = lengthEnd + (isMasked ? 4 : 0);
  if (bytes.length < headerBytes) return null;
  const payloadBytes = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
  if (bytes.length < headerBytes + payloadBytes) return null;
  return { headerBytes, payloadBytes, mask: isMasked ? bytes.subarray(lengthEnd, headerBytes) : null };
}

function unmasked(payload: Uint8Array, mask: Uint8Array | null): Uint8Array {
  return mask === null ? payload : payload.map((byte, i) => byte ^ mask[i % 4]!);
}

/** A binary message as one frame; a client's must be masked, and a mask of zeros is one. */
export function rawFrame(message: Uint8Array, isMasked: boolean): Uint8Array {
  const { length } = message;
  const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  header[0] = 0x82;
  const bit = isMasked ? 0x80 : 0;
  if (length < 126) header[1] = bit | length;
  else if (length < 65_536) {
    header[1] = bit | 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = bit | 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([header, Buffer.alloc(isMasked ? 4 : 0), message]);
}
