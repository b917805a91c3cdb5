import { fromBase64 } from "@penstock/model";
import { RowError } from "../../value/row-error.ts";
import { shown } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { checkEncoding } from "./part-base64.ts";

export const decode = defineFunction({
  name: "decode",
  group: "convert",
  summary: "The bytes that a text says in an encoding: 'base64' is the only one; compat mode passes over line breaks",
  params: [
    { name: "text", is: "text" },
    { name: "encoding", is: "text" },
  ],
  examples: [
    { sql: "decode('AP8=', 'base64')", gives: Uint8Array.of(0, 255) },
    { sql: "decode('', 'Base64')", gives: new Uint8Array() },
    { sql: "decode(text, 'base64')", of: { text: "AP\r\n8=" }, gives: Uint8Array.of(0, 255), mode: "compat" },
    { sql: "decode(text, 'base64')", of: { text: "AP\r\n8=" }, gives: { error: /is no base64/ }, mode: "strict" },
    { sql: "decode('AP8', 'base64')", gives: { error: /"AP8" is no base64/ } },
    { sql: "decode('00ff', 'hex')", gives: { error: /there is no encoding "hex"/ } },
    { sql: "decode(text, 'base64')", of: { text: null }, gives: null },
    { sql: "decode(7, 'base64')", gives: { error: /text must be text, and is bigint 7/ } },
  ],
  check([, encoding]) {
    if (typeof encoding === "string") checkEncoding("decode", encoding);
  },
  run([text, encoding], { mode }) {
    checkEncoding("decode", encoding as string);
    const digits = mode === "compat" ? (text as string).replace(/[\r\n]/g, "") : (text as string);
    const bytes = fromBase64(digits);
    if (bytes !== null) return bytes;
    throw new RowError(`Cannot call decode: ${shown(text!)} is no base64`);
  },
});
