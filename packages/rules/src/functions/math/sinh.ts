import { realFunction } from "./part-real.ts";

export const sinh = realFunction({
  name: "sinh",
  summary: "The hyperbolic sine",
  examples: [
    { sql: "sinh(0)", gives: 0 },
    { sql: "sinh(x)", of: { x: 1.0 }, gives: Math.sinh(1) },
    { sql: "sinh(-1000)", gives: Number.NEGATIVE_INFINITY, mode: "compat" },
    { sql: "sinh(-1000)", gives: { error: /beyond what a float holds/ }, mode: "strict" },
    { sql: "sinh(x)", of: { x: null }, gives: null },
    { sql: "sinh('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: Math.sinh,
});
