import { defineFunction } from "../define-function.ts";

export const dec2hex = defineFunction({
  name: "dec2hex",
  group: "convert",
  summary:
    "The integer in hexadecimal digits, with 0x before them; of a negative one eKuiper writes the sign behind 0x",
  params: [{ name: "n", is: "integer" }],
  examples: [
    { sql: "dec2hex(16)", gives: "0x10" },
    { sql: "dec2hex(n)", of: { n: 255.0 }, gives: "0xff" },
    { sql: "dec2hex(-16)", gives: "0x-10", mode: "compat" },
    { sql: "dec2hex(-16)", gives: "-0x10", mode: "strict" },
    { sql: "dec2hex(n)", of: { n: null }, gives: null },
    { sql: "dec2hex(2.5)", gives: { error: /n must be integer, and is float 2.5/ } },
    { sql: "dec2hex('16')", gives: { error: /n must be integer, and is string "16"/ } },
  ],
  run([n], { mode }) {
    const digits = (n as bigint).toString(16);
    return mode === "strict" && digits.startsWith("-") ? `-0x${digits.slice(1)}` : `0x${digits}`;
  },
});
