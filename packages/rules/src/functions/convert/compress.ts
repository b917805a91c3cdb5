import { defineFunction } from "../define-function.ts";
import { countPacking, methodOf, packedOf } from "./part-compression.ts";

export const compress = defineFunction({
  name: "compress",
  group: "convert",
  summary: "A text's UTF-8, or bytes, packed with gzip, zlib, flate or zstd",
  params: [
    { name: "of", is: ["text", "bytes"] },
    { name: "method", is: "text" },
  ],
  examples: [
    { sql: "encode(compress('hi', 'zlib'), 'base64')", gives: "eJzLyAQAATsA0g==" },
    {
      sql: "numbytes(cast(decompress(compress(b, 'flate'), 'flate'), 'string'))",
      of: { b: Uint8Array.of(104, 105) },
      gives: 2n,
    },
    { sql: "compress('hi', 'zlib')", gives: Uint8Array.of(0x78, 0x9c, 0xcb, 0xc8, 0x04, 0x00, 0x01, 0x3b, 0x00, 0xd2) },
    { sql: "compress(x, 'zstd')", of: { x: null }, gives: null },
    { sql: "compress('hi', 'lzma')", gives: { error: /there is no method "lzma", but gzip, zlib, flate, zstd/ } },
    { sql: "compress(7, 'zlib')", gives: { error: /of must be text or bytes, and is bigint 7/ } },
  ],
  check([, method]) {
    if (typeof method === "string") methodOf("compress", method);
  },
  run([of, method], { host }) {
    const bytes = packedOf(of!);
    countPacking(bytes.length);
    return host.compress(methodOf("compress", method!), bytes);
  },
});
