import { RowError } from "../../value/row-error.ts";
import { shown, type Value } from "../../value/value.ts";
import { checkArgument } from "../check-arguments.ts";
import { defineFunction } from "../define-function.ts";
import { goInteger } from "../math/part-integer.ts";

export const chr = defineFunction({
  name: "chr",
  group: "convert",
  summary:
    "Strict mode: the character that Unicode gives the number. eKuiper gives the number itself, and that of a text of one ASCII character",
  params: [{ name: "code", is: ["number", "text"] }],
  examples: [
    { sql: "chr(65)", gives: 65n, mode: "compat" },
    { sql: "chr(65)", gives: "A", mode: "strict" },
    { sql: "chr(n)", of: { n: 128512.0 }, gives: "😀", mode: "strict" },
    { sql: "chr(65.9)", gives: 65n, mode: "compat" },
    { sql: "chr(65.9)", gives: { error: /code must be integer, and is float 65.9/ }, mode: "strict" },
    { sql: "chr('A')", gives: 65n, mode: "compat" },
    { sql: "chr('A')", gives: { error: /code must be integer, and is string "A"/ }, mode: "strict" },
    { sql: "chr('AB')", gives: { error: /"AB" is not one ASCII character/ }, mode: "compat" },
    { sql: "chr(55296)", gives: { error: /Unicode has no character 55296/ }, mode: "strict" },
    { sql: "chr(n)", of: { n: null }, gives: null },
  ],
  run: ([code], { mode }) => (mode === "compat" ? goRune(code!) : character(code!)),
});

function character(value: Value): string {
  const code = Number(checkArgument("chr", { name: "code", is: "integer" }, value));
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  if (code >= 0 && code <= 0x10ffff && !isSurrogate) return String.fromCodePoint(code);
  throw new RowError(`Cannot call chr: Unicode has no character ${code}`);
}

/** A rune is an integer of 32 bits, and comes out as one. @source Go 1.23, The Go Programming Language Specification */
function goRune(code: Value): bigint {
  if (typeof code !== "string") return BigInt.asIntN(32, typeof code === "bigint" ? code : goInteger(code as number));
  if (code.length === 1 && code.charCodeAt(0) < 0x80) return BigInt(code.charCodeAt(0));
  throw new RowError(`Cannot call chr: ${shown(code)} is not one ASCII character`);
}
