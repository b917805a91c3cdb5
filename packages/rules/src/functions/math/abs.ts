import { RowError } from "../../value/row-error.ts";
import { defineFunction } from "../define-function.ts";
import { goInteger } from "./part-integer.ts";

const leastInteger = -(2n ** 63n);

export const abs = defineFunction({
  name: "abs",
  group: "math",
  summary: "The number without its sign; an integer stays one, but eKuiper's detour over a float rounds large ones",
  params: [{ name: "x", is: "number" }],
  examples: [
    { sql: "abs(x)", of: { x: -2.5 }, gives: 2.5 },
    { sql: "abs(-7)", gives: 7n },
    { sql: "abs(-9007199254740993)", gives: 9_007_199_254_740_992n, mode: "compat" },
    { sql: "abs(-9007199254740993)", gives: 9_007_199_254_740_993n, mode: "strict" },
    { sql: "abs(-9223372036854775808)", gives: -9_223_372_036_854_775_808n, mode: "compat" },
    { sql: "abs(-9223372036854775808)", gives: { error: /does not fit 64 bits/ }, mode: "strict" },
    { sql: "abs(x)", of: { x: null }, gives: null },
    { sql: "abs('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  run([x], { mode }) {
    if (typeof x !== "bigint") return Math.abs(x as number);
    if (mode === "compat") return goInteger(Math.abs(Number(x)));
    if (x === leastInteger) throw new RowError(`Cannot call abs: ${x} without its sign does not fit 64 bits`);
    return x < 0n ? -x : x;
  },
});
