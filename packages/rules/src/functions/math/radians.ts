import { realFunction } from "./part-real.ts";

export const radians = realFunction({
  name: "radians",
  summary: "Degrees as radians",
  examples: [
    { sql: "radians(180)", gives: Math.PI },
    { sql: "radians(x)", of: { x: 90.0 }, gives: Math.PI / 2 },
    { sql: "radians(x)", of: { x: null }, gives: null },
    { sql: "radians('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: (x) => x * (Math.PI / 180),
});
