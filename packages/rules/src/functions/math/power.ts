import { defineFunction } from "../define-function.ts";
import { finite } from "./part-real.ts";

export const power = defineFunction({
  name: "power",
  also: ["pow"],
  group: "math",
  summary: "x to the power of y, as a float",
  params: [
    { name: "x", is: "number" },
    { name: "y", is: "number" },
  ],
  examples: [
    { sql: "power(2, 10)", gives: 1024 },
    { sql: "pow(x, -1)", of: { x: 2.5 }, gives: 0.4 },
    { sql: "power(-1, 0.5)", gives: Number.NaN, mode: "compat" },
    { sql: "power(-1, 0.5)", gives: { error: /there is no result/ }, mode: "strict" },
    { sql: "power(0, -1)", gives: Number.POSITIVE_INFINITY, mode: "compat" },
    { sql: "power(10, 400)", gives: { error: /beyond what a float holds/ }, mode: "strict" },
    { sql: "power(2, y)", of: { y: null }, gives: null },
    { sql: "power('a', 2)", gives: { error: /x must be number, and is string "a"/ } },
  ],
  run: ([x, y], { mode }) => finite("power", [x!, y!], { result: goPower(Number(x), Number(y)), mode }),
});

/** Go has 1 to the power of anything, and -1 to the power of an infinity, as 1. @source Go 1.23, package math, Pow */
function goPower(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y;
}
