import { realFunction } from "./part-real.ts";

export const acos = realFunction({
  name: "acos",
  summary: "The angle, in radians from 0 to π, whose cosine is x",
  examples: [
    { sql: "acos(1)", gives: 0 },
    { sql: "acos(x)", of: { x: 0.5 }, gives: 1.0471975511965979 },
    { sql: "acos(2)", gives: null, mode: "compat" },
    { sql: "acos(2)", gives: { error: /there is no result/ }, mode: "strict" },
    { sql: "acos(x)", of: { x: null }, gives: null },
    { sql: "acos('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: Math.acos,
});
