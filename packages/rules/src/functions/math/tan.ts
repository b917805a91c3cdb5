import { realFunction } from "./part-real.ts";

export const tan = realFunction({
  name: "tan",
  summary: "The tangent of an angle in radians",
  examples: [
    { sql: "tan(0)", gives: 0 },
    { sql: "tan(x)", of: { x: 1.0 }, gives: Math.tan(1) },
    { sql: "tan(x)", of: { x: Number.POSITIVE_INFINITY }, gives: null, mode: "compat" },
    { sql: "tan(x)", of: { x: Number.POSITIVE_INFINITY }, gives: { error: /there is no result/ }, mode: "strict" },
    { sql: "tan(x)", of: { x: null }, gives: null },
    { sql: "tan('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: Math.tan,
});
