import { defineFunction } from "../define-function.ts";

export const bitand = defineFunction({
  name: "bitand",
  group: "math",
  summary: "The bits that are set in both integers",
  params: [
    { name: "a", is: "integer" },
    { name: "b", is: "integer" },
  ],
  examples: [
    { sql: "bitand(12, 10)", gives: 8n },
    { sql: "bitand(a, 10)", of: { a: 12.0 }, gives: 8n },
    { sql: "bitand(-1, 255)", gives: 255n },
    { sql: "bitand(a, 1)", of: { a: null }, gives: null },
    { sql: "bitand(a, 1)", of: { a: 12.5 }, gives: { error: /a must be integer, and is float 12.5/ } },
    { sql: "bitand(1, 'b')", gives: { error: /b must be integer/ } },
  ],
  run: ([a, b]) => (a as bigint) & (b as bigint),
});
