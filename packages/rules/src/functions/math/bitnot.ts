import { defineFunction } from "../define-function.ts";

export const bitnot = defineFunction({
  name: "bitnot",
  group: "math",
  summary: "Every bit of the integer turned over",
  params: [{ name: "a", is: "integer" }],
  examples: [
    { sql: "bitnot(12)", gives: -13n },
    { sql: "bitnot(a)", of: { a: -1.0 }, gives: 0n },
    { sql: "bitnot(a)", of: { a: null }, gives: null },
    { sql: "bitnot(a)", of: { a: 0.5 }, gives: { error: /a must be integer, and is float 0.5/ } },
  ],
  run: ([a]) => ~(a as bigint),
});
