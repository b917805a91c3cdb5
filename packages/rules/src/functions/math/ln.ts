import { realFunction } from "./part-real.ts";

export const ln = realFunction({
  name: "ln",
  summary: "The natural logarithm",
  examples: [
    { sql: "ln(1)", gives: 0 },
    { sql: "ln(x)", of: { x: Math.E }, gives: 1 },
    { sql: "ln(0)", gives: Number.NEGATIVE_INFINITY, mode: "compat" },
    { sql: "ln(0)", gives: { error: /beyond what a float holds/ }, mode: "strict" },
    { sql: "ln(-1)", gives: null, mode: "compat" },
    { sql: "ln(-1)", gives: { error: /there is no result/ }, mode: "strict" },
    { sql: "ln(x)", of: { x: null }, gives: null },
    { sql: "ln('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: Math.log,
});
