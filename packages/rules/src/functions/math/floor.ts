import { defineFunction } from "../define-function.ts";

export const floor = defineFunction({
  name: "floor",
  group: "math",
  summary: "The greatest integer that is not above x, as a float; in strict mode an integer stays one",
  params: [{ name: "x", is: "number" }],
  examples: [
    { sql: "floor(x)", of: { x: 2.9 }, gives: 2 },
    { sql: "floor(-2.1)", gives: -3 },
    { sql: "floor(7)", gives: 7, mode: "compat" },
    { sql: "floor(7)", gives: 7n, mode: "strict" },
    { sql: "floor(x)", of: { x: null }, gives: null },
    { sql: "floor('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  run: ([x], { mode }) => (typeof x === "bigint" && mode === "strict" ? x : Math.floor(Number(x))),
});
