import { realFunction } from "./part-real.ts";

export const exp = realFunction({
  name: "exp",
  summary: "e to the power of x",
  examples: [
    { sql: "exp(0)", gives: 1 },
    { sql: "exp(x)", of: { x: 1.0 }, gives: Math.E },
    { sql: "exp(1000)", gives: Number.POSITIVE_INFINITY, mode: "compat" },
    { sql: "exp(1000)", gives: { error: /beyond what a float holds/ }, mode: "strict" },
    { sql: "exp(x)", of: { x: null }, gives: null },
    { sql: "exp('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: Math.exp,
});
