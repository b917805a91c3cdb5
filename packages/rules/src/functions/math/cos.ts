import { realFunction } from "./part-real.ts";

export const cos = realFunction({
  name: "cos",
  summary: "The cosine of an angle in radians",
  examples: [
    { sql: "cos(0)", gives: 1 },
    { sql: "cos(x)", of: { x: Math.PI }, gives: -1 },
    { sql: "cos(x)", of: { x: Number.POSITIVE_INFINITY }, gives: null, mode: "compat" },
    { sql: "cos(x)", of: { x: Number.POSITIVE_INFINITY }, gives: { error: /there is no result/ }, mode: "strict" },
    { sql: "cos(x)", of: { x: null }, gives: null },
    { sql: "cos('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: Math.cos,
});
