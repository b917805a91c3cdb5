import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

// Numbers of up to 53 bits are written as planes of at most 24 bits, so that the accumulator stays within the 32 bits of
// JavaScript's integer operators.
const planeBits = 24;
const planeSize = 2 ** planeBits;

/** How many bits hold 0..range. */
export function bitsFor(range: number): number {
  return range < 4294967296 ? 32 - Math.clz32(range) : 64 - Math.clz32(Math.floor(range / 4294967296));
}

/** Bytes that `packBits` writes for `count` numbers of `width` bits. */
export function packedBytes(count: number, width: number): number {
  let bytes = 0;
  for (let done = 0; done < width; done += planeBits)
    bytes += Math.ceil((count * Math.min(planeBits, width - done)) / 8);
  return bytes;
}

/** Writes values[from..to), each less `base`, in `width` bits. */
export function packBits(
  out: ByteWriter,
  values: Float64Array,
  part: { readonly from: number; readonly to: number; readonly base: number; readonly width: number },
): void {
  const { from, to, base, width } = part;
  out.reserve(packedBytes(to - from, width));
  const bytes = out.bytes;
  let at = out.length;
  for (let done = 0; done < width; done += planeBits) {
    const plane = Math.min(planeBits, width - done);
    const single = width <= planeBits;
    const scale = 2 ** done;
    let held = 0;
    let heldBits = 0;
    for (let i = from; i < to; i++) {
      const value = values[i]! - base;
      held |= (single ? value : Math.floor(value / scale) % planeSize) << heldBits;
      heldBits += plane;
      while (heldBits >= 8) {
        bytes[at++] = held;
        held >>>= 8;
        heldBits -= 8;
      }
    }
    if (heldBits > 0) bytes[at++] = held;
  }
  out.length = at;
}

/** The inverse: fills into[from..to). */
export function unpackBits(
  input: ByteReader,
  into: Float64Array,
  part: { readonly from: number; readonly to: number; readonly base: number; readonly width: number },
): void {
  const { from, to, base, width } = part;
  const bytes = input.raw(packedBytes(to - from, width));
  let at = 0;
  if (width === 0) {
    into.fill(base, from, to);
    return;
  }
  for (let done = 0; done < width; done += planeBits) {
    const plane = Math.min(planeBits, width - done);
    const mask = planeSize / 2 ** (planeBits - plane) - 1;
    const scale = 2 ** done;
    let held = 0;
    let heldBits = 0;
    for (let i = from; i < to; i++) {
      while (heldBits < plane) {
        held |= bytes[at++]! << heldBits;
        heldBits += 8;
      }
      const piece = held & mask;
      held >>>= plane;
      heldBits -= plane;
      into[i] = done === 0 ? base + piece : into[i]! + piece * scale;
    }
  }
}
