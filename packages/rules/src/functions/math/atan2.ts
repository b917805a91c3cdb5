import { realFunction } from "./part-real.ts";

export const atan2 = realFunction({
  name: "atan2",
  summary: "The angle, in radians from -π to π, between the x axis and the point (x, y)",
  params: [
    { name: "y", is: "number" },
    { name: "x", is: "number" },
  ],
  examples: [
    { sql: "atan2(1, 1)", gives: Math.PI / 4 },
    { sql: "atan2(y, -1.0)", of: { y: 0 }, gives: Math.PI },
    { sql: "atan2(1, x)", of: { x: null }, gives: null },
    { sql: "atan2(1, 'a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: Math.atan2,
});
