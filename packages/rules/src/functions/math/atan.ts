import { realFunction } from "./part-real.ts";

export const atan = realFunction({
  name: "atan",
  summary: "The angle, in radians from -π/2 to π/2, whose tangent is x",
  examples: [
    { sql: "atan(0)", gives: 0 },
    { sql: "atan(x)", of: { x: 1.0 }, gives: Math.PI / 4 },
    { sql: "atan(x)", of: { x: null }, gives: null },
    { sql: "atan('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: Math.atan,
});
