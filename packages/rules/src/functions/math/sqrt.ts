import { realFunction } from "./part-real.ts";

export const sqrt = realFunction({
  name: "sqrt",
  summary: "The square root",
  examples: [
    { sql: "sqrt(9)", gives: 3 },
    { sql: "sqrt(x)", of: { x: 2.25 }, gives: 1.5 },
    { sql: "sqrt(-1)", gives: null, mode: "compat" },
    { sql: "sqrt(-1)", gives: { error: /there is no result/ }, mode: "strict" },
    { sql: "sqrt(x)", of: { x: null }, gives: null },
    { sql: "sqrt('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: Math.sqrt,
});
