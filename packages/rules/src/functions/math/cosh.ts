import { realFunction } from "./part-real.ts";

export const cosh = realFunction({
  name: "cosh",
  summary: "The hyperbolic cosine",
  examples: [
    { sql: "cosh(0)", gives: 1 },
    { sql: "cosh(x)", of: { x: 1.0 }, gives: Math.cosh(1) },
    { sql: "cosh(1000)", gives: Number.POSITIVE_INFINITY, mode: "compat" },
    { sql: "cosh(1000)", gives: { error: /beyond what a float holds/ }, mode: "strict" },
    { sql: "cosh(x)", of: { x: null }, gives: null },
    { sql: "cosh('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: Math.cosh,
});
