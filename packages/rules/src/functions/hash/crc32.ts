import { defineFunction } from "../define-function.ts";
import { bytesOf, dataOrAny } from "../text/part-arguments.ts";
import { crc32Of } from "./part-crc32.ts";

export const crc32 = defineFunction({
  name: "crc32",
  group: "hash",
  summary:
    "The CRC-32 of a text or of bytes, in hexadecimal digits: eight in strict mode, in compat mode without zeros before them",
  params: [{ name: "of", is: dataOrAny }],
  examples: [
    { sql: "crc32('123456789')", gives: "cbf43926" },
    { sql: "crc32('press-53')", gives: "30f26c", mode: "compat" },
    { sql: "crc32('press-53')", gives: "0030f26c", mode: "strict" },
    { sql: "crc32(b)", of: { b: Uint8Array.of(104, 105) }, gives: "7237c2a0", mode: "compat" },
    { sql: "crc32(b)", of: { b: Uint8Array.of(104, 105) }, gives: "d8932aac", mode: "strict" },
    { sql: "crc32(x)", of: { x: null }, gives: null },
    { sql: "crc32(x)", of: { x: 7n }, gives: { error: /of must be text or bytes, and is bigint 7/ }, mode: "strict" },
  ],
  run([of], { mode }) {
    const text = crc32Of(bytesOf(of!, { name: "crc32", param: "of", mode })).toString(16);
    return mode === "compat" ? text : text.padStart(8, "0");
  },
});
