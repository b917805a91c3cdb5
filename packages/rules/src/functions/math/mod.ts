import { calculate } from "../../value/arithmetic.ts";
import { defineFunction } from "../define-function.ts";

export const mod = defineFunction({
  name: "mod",
  group: "math",
  summary: "What x leaves when divided by y, with the sign of x; a float, in strict mode an integer of two integers",
  params: [
    { name: "x", is: "number" },
    { name: "y", is: "number" },
  ],
  examples: [
    { sql: "mod(x, 2)", of: { x: 7.5 }, gives: 1.5 },
    { sql: "mod(-7, 3)", gives: -1, mode: "compat" },
    { sql: "mod(-7, 3)", gives: -1n, mode: "strict" },
    { sql: "mod(5, 0)", gives: Number.NaN, mode: "compat" },
    { sql: "mod(5, 0)", gives: { error: /division by zero/ }, mode: "strict" },
    { sql: "mod(x, 2)", of: { x: null }, gives: null },
    { sql: "mod('a', 2)", gives: { error: /x must be number, and is string "a"/ } },
  ],
  run: ([x, y], { mode }) => (mode === "strict" ? calculate("%", x!, y!, mode) : Number(x) % Number(y)),
});
