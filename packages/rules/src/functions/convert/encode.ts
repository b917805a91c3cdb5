import { toBase64 } from "@penstock/model";
import { defineFunction } from "../define-function.ts";
import { bounded, utf8Of } from "../text/part-arguments.ts";
import { checkEncoding } from "./part-base64.ts";

export const encode = defineFunction({
  name: "encode",
  group: "convert",
  summary: "A text's UTF-8, or bytes, as a text in an encoding: 'base64' is the only one",
  params: [
    { name: "of", is: ["text", "bytes"] },
    { name: "encoding", is: "text" },
  ],
  examples: [
    { sql: "encode('valve 3', 'base64')", gives: "dmFsdmUgMw==" },
    { sql: "encode('', 'BASE64')", gives: "" },
    { sql: "encode(b, 'base64')", of: { b: Uint8Array.of(0, 255) }, gives: "AP8=" },
    { sql: "encode('a', 'hex')", gives: { error: /there is no encoding "hex"/ } },
    { sql: "encode(x, 'base64')", of: { x: null }, gives: null },
    { sql: "encode(x, 'base64')", of: { x: 7n }, gives: { error: /of must be text or bytes, and is bigint 7/ } },
    { sql: "encode(x, 'base64')", of: { x: "a".repeat(60_000) }, gives: { error: /longer than 65536 bytes/ } },
  ],
  check([, encoding]) {
    if (typeof encoding === "string") checkEncoding("encode", encoding);
  },
  run([of, encoding]) {
    checkEncoding("encode", encoding as string);
    return bounded("encode", toBase64(typeof of === "string" ? utf8Of(of) : (of as Uint8Array)));
  },
});
