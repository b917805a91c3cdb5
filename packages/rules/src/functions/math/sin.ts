import { realFunction } from "./part-real.ts";

export const sin = realFunction({
  name: "sin",
  summary: "The sine of an angle in radians",
  examples: [
    { sql: "sin(0)", gives: 0 },
    { sql: "sin(x)", of: { x: Math.PI / 2 }, gives: 1 },
    { sql: "sin(x)", of: { x: Number.POSITIVE_INFINITY }, gives: null, mode: "compat" },
    { sql: "sin(x)", of: { x: Number.POSITIVE_INFINITY }, gives: { error: /there is no result/ }, mode: "strict" },
    { sql: "sin(x)", of: { x: null }, gives: null },
    { sql: "sin('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: Math.sin,
});
