import { effort, TooMuchWork } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { countPacking, methodOf, packedOf } from "./part-compression.ts";

/** "hi" */
const zlib: Value = Uint8Array.of(0x78, 0x9c, 0xcb, 0xc8, 0x04, 0x00, 0x01, 0x3b, 0x00, 0xd2);

export const decompress = defineFunction({
  name: "decompress",
  group: "convert",
  summary: "The bytes that were packed with gzip, zlib, flate or zstd, of at most 1 MiB",
  params: [
    { name: "of", is: ["text", "bytes"] },
    { name: "method", is: "text" },
  ],
  examples: [
    { sql: "decompress(b, 'zlib')", of: { b: zlib }, gives: Uint8Array.of(104, 105) },
    { sql: "cast(decompress(b, 'zlib'), 'string')", of: { b: zlib }, gives: "hi" },
    { sql: "decompress(compress('press', 'zstd'), 'zstd')", gives: Uint8Array.of(112, 114, 101, 115, 115) },
    { sql: "decompress(b, 'gzip')", of: { b: zlib }, gives: { error: /Cannot call decompress with gzip: / } },
    { sql: "decompress(b, 'rar')", of: { b: zlib }, gives: { error: /there is no method "rar"/ } },
    { sql: "decompress(b, 'zlib')", of: { b: null }, gives: null },
    { sql: "decompress(7, 'zlib')", gives: { error: /of must be text or bytes, and is bigint 7/ } },
  ],
  check([, method]) {
    if (typeof method === "string") methodOf("decompress", method);
  },
  run([of, wanted], { host }) {
    const method = methodOf("decompress", wanted!);
    const bytes = packedOf(of!);
    countPacking(bytes.length);
    try {
      const made = host.decompress(method, bytes);
      effort.chars(made.length << 2);
      return made;
    } catch (cause) {
      if (cause instanceof TooMuchWork) throw cause;
      throw new RowError(`Cannot call decompress with ${method}: ${cause instanceof Error ? cause.message : cause}`);
    }
  },
});
