import { defineFunction } from "../define-function.ts";

export const bitxor = defineFunction({
  name: "bitxor",
  group: "math",
  summary: "The bits that are set in one of the integers and not in the other",
  params: [
    { name: "a", is: "integer" },
    { name: "b", is: "integer" },
  ],
  examples: [
    { sql: "bitxor(12, 10)", gives: 6n },
    { sql: "bitxor(a, -1)", of: { a: 12.0 }, gives: -13n },
    { sql: "bitxor(a, 1)", of: { a: null }, gives: null },
    { sql: "bitxor(a, 1)", of: { a: 12.5 }, gives: { error: /a must be integer, and is float 12.5/ } },
    { sql: "bitxor(1, 'b')", gives: { error: /b must be integer/ } },
  ],
  run: ([a, b]) => (a as bigint) ^ (b as bigint),
});
