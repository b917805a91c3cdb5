import { realFunction } from "./part-real.ts";

export const asin = realFunction({
  name: "asin",
  summary: "The angle, in radians from -π/2 to π/2, whose sine is x",
  examples: [
    { sql: "asin(0)", gives: 0 },
    { sql: "asin(x)", of: { x: 1.0 }, gives: Math.PI / 2 },
    { sql: "asin(-2.5)", gives: null, mode: "compat" },
    { sql: "asin(-2.5)", gives: { error: /there is no result/ }, mode: "strict" },
    { sql: "asin(x)", of: { x: null }, gives: null },
    { sql: "asin('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: Math.asin,
});
