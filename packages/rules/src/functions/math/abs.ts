import { RowError } from "../../value/row-error.ts";
import { defineFunction } from "../define-function.ts";

const leastInteger = -(2n ** 63n);

export const abs = defineFunction({
  name: "abs",
  group: "math",
  summary: "The number without its sign; an integer stays one",
  params: [{ name: "x", is: "number" }],
  examples: [
    { sql: "abs(x)", of: { x: -2.5 }, gives: 2.5 },
    { sql: "abs(-7)", gives: 7n },
    { sql: "abs(x)", of: { x: null }, gives: null },
    { sql: "abs('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  run([x], { mode }) {
    if (typeof x !== "bigint") return Math.abs(x as number);
    if (x === leastInteger && mode === "strict")
      throw new RowError(`Cannot call abs: ${x} without its sign does not fit 64 bits`);
    return BigInt.asIntN(64, x < 0n ? -x : x);
  },
});
