import { defineFunction } from "../define-function.ts";

export const sign = defineFunction({
  name: "sign",
  group: "math",
  summary: "1 for a number above 0, -1 for one below, else 0",
  params: [{ name: "x", is: "number" }],
  examples: [
    { sql: "sign(-7)", gives: -1n },
    { sql: "sign(x)", of: { x: 0.25 }, gives: 1n },
    { sql: "sign(0.0)", gives: 0n },
    { sql: "sign(x)", of: { x: null }, gives: null },
    { sql: "sign('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  run: ([x]) => (Number(x) > 0 ? 1n : Number(x) < 0 ? -1n : 0n),
});
