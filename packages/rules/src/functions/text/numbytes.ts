import { defineFunction } from "../define-function.ts";
import { bytesOf, dataOrAny } from "./part-arguments.ts";

export const numbytes = defineFunction({
  name: "numbytes",
  group: "text",
  summary: "How many bytes the text has in UTF-8; of null eKuiper says 0",
  params: [{ name: "text", is: dataOrAny }],
  takesNull: true,
  examples: [
    { sql: "numbytes('20 °C')", gives: 6n },
    { sql: "numbytes('')", gives: 0n },
    { sql: "numbytes(b)", of: { b: Uint8Array.of(104, 105) }, gives: 9n, mode: "compat" },
    { sql: "numbytes(b)", of: { b: Uint8Array.of(104, 105) }, gives: 2n, mode: "strict" },
    { sql: "numbytes(x)", of: { x: null }, gives: 0n, mode: "compat" },
    { sql: "numbytes(x)", of: { x: null }, gives: null, mode: "strict" },
    { sql: "numbytes(x)", of: { x: 215n }, gives: 3n, mode: "compat" },
    {
      sql: "numbytes(x)",
      of: { x: 215n },
      gives: { error: /text must be text or bytes, and is bigint 215/ },
      mode: "strict",
    },
  ],
  run([text], { mode }) {
    if (text === null) return mode === "compat" ? 0n : null;
    return BigInt(bytesOf(text!, { name: "numbytes", param: "text", mode }).length);
  },
});
