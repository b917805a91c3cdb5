import type { Micros } from "@penstock/model";
import { unpack } from "@penstock/wire";

/**
 * Lowest and highest time of a batch body that was checked before, without decoding its values. Our own encoder's bodies
 * are read in place; others', which may write the same numbers in other forms, are unpacked.
 */
export function timesOfBody(body: Uint8Array): {
  readonly baseTime: Micros;
  readonly lowest: Micros;
  readonly highest: Micros;
} {
  const bytes = new DataView(body.buffer, body.byteOffset, body.length);
  const head = readHead(bytes) ?? unpackHead(body);
  let low = 0;
  let high = 0;
  if (head.offsets !== null && head.offsets.byteLength >= 4) {
    low = high = head.offsets.getInt32(0, true);
    for (let at = 4; at + 4 <= head.offsets.byteLength; at += 4) {
      const offset = head.offsets.getInt32(at, true);
      if (offset < low) low = offset;
      else if (offset > high) high = offset;
    }
  }
  return {
    baseTime: head.baseTime as Micros,
    lowest: (head.baseTime + low) as Micros,
    highest: (head.baseTime + high) as Micros,
  };
}

interface Head {
  readonly baseTime: number;
  readonly offsets: DataView | null;
}

// MessagePack markers, https://github.com/msgpack/msgpack/blob/master/spec.md: fixarray of ten 0x9a, nil 0xc0, bin8..32
// 0xc4..0xc6, float64 0xcb, uint16 0xcd, positive fixint 0x00..0x7f.
function readHead(bytes: DataView): Head | null {
  if (bytes.byteLength < 16 || bytes.getUint8(0) !== 0x9a || bytes.getUint8(1) !== 1) return null;
  const count = bytes.getUint8(2);
  let at = count < 0x80 ? 3 : count === 0xcd ? 5 : 0;
  if (at === 0 || bytes.getUint8(at) !== 0xcb) return null;
  const baseTime = bytes.getFloat64(at + 1);
  at += 9;
  const index = bin(bytes, at);
  if (index === null) return null;
  const offsets = bin(bytes, index.end);
  if (offsets === null) return null;
  return { baseTime, offsets: offsets.bytes };
}

function bin(bytes: DataView, at: number): { readonly bytes: DataView | null; readonly end: number } | null {
  const marker = bytes.getUint8(at);
  if (marker === 0xc0) return { bytes: null, end: at + 1 };
  if (marker < 0xc4 || marker > 0xc6) return null;
  const wide = 1 << (marker - 0xc4);
  const length = wide === 1 ? bytes.getUint8(at + 1) : wide === 2 ? bytes.getUint16(at + 1) : bytes.getUint32(at + 1);
  const start = at + 1 + wide;
  return { bytes: new DataView(bytes.buffer, bytes.byteOffset + start, length), end: start + length };
}

function unpackHead(body: Uint8Array): Head {
  // The cast: decodeBatchBody has checked these fields' types before the batch was handed to the store.
  const [, , baseTime, , offsets] = unpack(body) as [number, number, number | bigint, unknown, Uint8Array | null];
  return {
    baseTime: Number(baseTime),
    offsets: offsets === null ? null : new DataView(offsets.buffer, offsets.byteOffset, offsets.length),
  };
}
