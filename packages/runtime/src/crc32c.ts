// Eight tables: table[k][b] is the CRC of byte b followed by k zero bytes, so that eight bytes cost eight look-ups and no
// dependency chain. node:zlib has only the IEEE polynomial.
const polynomial = 0x82f63b78;
const tables = new Int32Array(8 * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  tables[byte] = crc;
}
for (let at = 256; at < tables.length; at++) {
  const before = tables[at - 256]!;
  tables[at] = (before >>> 8) ^ tables[before & 0xff]!;
}

/**
 * CRC-32C (Castagnoli), as iSCSI and ext4 use it.
 *
 * @param bytes  any length
 * @param crc    the result over the bytes before these, to go on from; 0 at the start
 * @returns unsigned 32-bit number
 * @source RFC 3720, 12.1 and B.4 (test vectors)
 */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  const t = tables;
  const length = bytes.length;
  const whole = length - (length % 8);
  let c = ~crc;
  let at = 0;
  for (; at < whole; at += 8) {
    c ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    c =
      t[1792 + (c & 0xff)]! ^
      t[1536 + ((c >>> 8) & 0xff)]! ^
      t[1280 + ((c >>> 16) & 0xff)]! ^
      t[1024 + (c >>> 24)]! ^
      t[768 + bytes[at + 4]!]! ^
      t[512 + bytes[at + 5]!]! ^
      t[256 + bytes[at + 6]!]! ^
      t[bytes[at + 7]!]!;
  }
  for (; at < length; at++) c = (c >>> 8) ^ t[(c ^ bytes[at]!) & 0xff]!;
  return ~c >>> 0;
}
