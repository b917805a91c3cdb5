import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/** 0 | length, bytes as they are; or 1 | raw length, length, deflated: whichever is smaller. */
export function packDeflated(out: ByteWriter, bytes: Uint8Array): void {
  const small = bytes.length < 32 ? bytes : deflateRawSync(bytes, { level: 6 });
  if (small.length >= bytes.length) {
    out.u8(0);
    out.section(bytes);
    return;
  }
  out.u8(1);
  out.varint(bytes.length);
  out.section(small);
}

export function unpackDeflated(input: ByteReader): Uint8Array {
  if (input.u8() === 0) return input.section();
  const length = input.varint();
  return inflateRawSync(input.section(), { maxOutputLength: Math.max(1, length) });
}

/** Byte k of every element together: what elements have in common stands side by side, which deflate needs. */
export function shuffled(bytes: Uint8Array, elementBytes: number): Uint8Array {
  const count = bytes.length / elementBytes;
  const planes = new Uint8Array(bytes.length);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < elementBytes; k++) planes[k * count + i] = bytes[i * elementBytes + k]!;
  }
  return planes;
}

export function unshuffled(planes: Uint8Array, elementBytes: number): Uint8Array<ArrayBuffer> {
  const count = planes.length / elementBytes;
  const bytes = new Uint8Array(planes.length);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < elementBytes; k++) bytes[i * elementBytes + k] = planes[k * count + i]!;
  }
  return bytes;
}
