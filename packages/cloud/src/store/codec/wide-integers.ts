import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { packDeflated, shuffled, unpackDeflated, unshuffled } from "./deflate.ts";
import { packIntegers, unpackIntegers } from "./integers.ts";

/**
 * 64-bit integers. Where they stay within 2^50 of the first one, which counters do, as that one and whole differences.
 *
 *   0 | first, 8 bytes | differences as whole numbers
 *   1 | byte planes, deflated
 */
export type WideColumn = BigInt64Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>;
const nearBound = 2n ** 50n;

export function packWide(out: ByteWriter, values: WideColumn, count: number): void {
  const first = values[0] ?? 0n;
  const differences = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const difference = values[i]! - first;
    if (difference > nearBound || difference < -nearBound) {
      out.u8(1);
      packDeflated(out, shuffled(new Uint8Array(values.buffer, values.byteOffset, count * 8), 8));
      return;
    }
    differences[i] = Number(difference);
  }
  out.u8(0);
  out.raw(new Uint8Array(BigInt64Array.of(BigInt.asIntN(64, first)).buffer));
  packIntegers(out, differences, count);
}

export function unpackWide(input: ByteReader, count: number, signed: boolean): WideColumn {
  if (input.u8() === 1) {
    const { buffer } = unshuffled(unpackDeflated(input), 8);
    return signed ? new BigInt64Array(buffer) : new BigUint64Array(buffer);
  }
  const [firstLow, firstHigh] = new Uint32Array(new Uint8Array(input.raw(8)).buffer) as unknown as [number, number];
  const differences = unpackIntegers(input, count);
  const values = signed ? new BigInt64Array(count) : new BigUint64Array(count);
  // In halves of 32 bits: a sum of two bigints would cost more than all the rest of reading a chunk.
  const halves = new Uint32Array(values.buffer);
  for (let i = 0; i < count; i++) {
    const difference = differences[i]!;
    const high = Math.floor(difference / 4294967296);
    const low = firstLow + (difference - high * 4294967296);
    halves[2 * i] = low;
    halves[2 * i + 1] = firstHigh + high + (low >= 4294967296 ? 1 : 0);
  }
  return values;
}
