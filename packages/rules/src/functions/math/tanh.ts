import { realFunction } from "./part-real.ts";

export const tanh = realFunction({
  name: "tanh",
  summary: "The hyperbolic tangent",
  examples: [
    { sql: "tanh(0)", gives: 0 },
    { sql: "tanh(x)", of: { x: 100.5 }, gives: 1 },
    { sql: "tanh(x)", of: { x: null }, gives: null },
    { sql: "tanh('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of: Math.tanh,
});
