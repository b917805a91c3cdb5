import { realFunction } from "./part-real.ts";

export const degrees = realFunction({
  name: "degrees",
  summary: "Radians as degrees",
  examples: [
    { sql: "degrees(pi())", gives: 180 },
    { sql: "degrees(0)", gives: 0 },
    { sql: "degrees(x)", of: { x: Math.PI / 4 }, gives: 45 },
    { sql: "degrees(x)", of: { x: null }, gives: null },
    { sql: "degrees('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: (x) => x * (180 / Math.PI),
});
