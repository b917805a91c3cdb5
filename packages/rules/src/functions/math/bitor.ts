import { defineFunction } from "../define-function.ts";

export const bitor = defineFunction({
  name: "bitor",
  group: "math",
  summary: "The bits that are set in either integer",
  params: [
    { name: "a", is: "integer" },
    { name: "b", is: "integer" },
  ],
  examples: [
    { sql: "bitor(12, 10)", gives: 14n },
    { sql: "bitor(a, 1)", of: { a: 12.0 }, gives: 13n },
    { sql: "bitor(a, 1)", of: { a: null }, gives: null },
    { sql: "bitor(a, 1)", of: { a: 12.5 }, gives: { error: /a must be integer, and is float 12.5/ } },
    { sql: "bitor(1, 'b')", gives: { error: /b must be integer/ } },
  ],
  run: ([a, b]) => (a as bigint) | (b as bigint),
});
