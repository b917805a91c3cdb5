import { RowError } from "../../value/row-error.ts";
import { shown } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { fitting } from "../math/part-integer.ts";

export const hex2dec = defineFunction({
  name: "hex2dec",
  group: "convert",
  summary:
    "The integer that hexadecimal digits say, with or without 0x before them; a sign stands behind 0x for eKuiper, before it in strict mode",
  params: [{ name: "text", is: "text" }],
  examples: [
    { sql: "hex2dec('0x10')", gives: 16n },
    { sql: "hex2dec('fF')", gives: 255n },
    { sql: "hex2dec('-10')", gives: -16n },
    { sql: "hex2dec('0x-10')", gives: -16n, mode: "compat" },
    { sql: "hex2dec('0x-10')", gives: { error: /"0x-10" is no hexadecimal number/ }, mode: "strict" },
    { sql: "hex2dec('-0X10')", gives: { error: /is no hexadecimal number/ }, mode: "compat" },
    { sql: "hex2dec('-0X10')", gives: -16n, mode: "strict" },
    { sql: "hex2dec('7fffffffffffffff')", gives: 9_223_372_036_854_775_807n },
    { sql: "hex2dec('8000000000000000')", gives: { error: /does not fit 64 bits/ } },
    { sql: "hex2dec('xyz')", gives: { error: /"xyz" is no hexadecimal number/ } },
    { sql: "hex2dec(text)", of: { text: null }, gives: null },
    { sql: "hex2dec(10)", gives: { error: /text must be text, and is bigint 10/ } },
  ],
  run([text], { mode }) {
    const shape = mode === "compat" ? /^(?:0x)?([+-]?)([0-9a-f]+)$/i : /^([+-]?)(?:0x)?([0-9a-f]+)$/i;
    const [, sign, digits] = shape.exec(text as string) ?? [];
    const isGoPrefix = mode === "strict" || !(text as string).startsWith("0X");
    if (digits === undefined || !isGoPrefix)
      throw new RowError(`Cannot call hex2dec: ${shown(text!)} is no hexadecimal number`);
    if (digits.length > 64) throw new RowError(`Cannot call hex2dec: ${shown(text!)} does not fit 64 bits`);
    const size = BigInt(`0x${digits}`);
    return fitting("hex2dec", sign === "-" ? -size : size);
  },
});
