import { effort } from "../../run/effort.ts";

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

/** @source IEEE 802.3-2022, 3.2.9; the reflected form that zip and PNG use */
export function crc32Of(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  effort.chars(bytes.length << 3);
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
