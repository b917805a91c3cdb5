import { defineFunction } from "../define-function.ts";

export const ceil = defineFunction({
  name: "ceil",
  also: ["ceiling"],
  group: "math",
  summary: "The least integer that is not below x, as a float; in strict mode an integer stays one",
  params: [{ name: "x", is: "number" }],
  examples: [
    { sql: "ceil(x)", of: { x: 2.1 }, gives: 3 },
    { sql: "ceiling(-2.9)", gives: -2 },
    { sql: "ceil(7)", gives: 7, mode: "compat" },
    { sql: "ceil(7)", gives: 7n, mode: "strict" },
    { sql: "ceil(x)", of: { x: null }, gives: null },
    { sql: "ceil('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  run: ([x], { mode }) => (typeof x === "bigint" && mode === "strict" ? x : Math.ceil(Number(x))),
});
