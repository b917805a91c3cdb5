import { RowError } from "../../value/row-error.ts";
import { realFunction } from "./part-real.ts";

export const cot = realFunction({
  name: "cot",
  summary: "The cotangent of an angle in radians; at 0 there is none",
  examples: [
    { sql: "cot(1)", gives: 1 / Math.tan(1) },
    { sql: "cot(x)", of: { x: -0.5 }, gives: -1 / Math.tan(0.5) },
    { sql: "cot(0)", gives: { error: /out of range/ } },
    { sql: "cot(x)", of: { x: null }, gives: null },
    { sql: "cot('a')", gives: { error: /x must be number, and is string "a"/ } },
  ],
  of(x) {
    if (x === 0) throw new RowError("Cannot call cot: the cotangent of 0 is out of range");
    return 1 / Math.tan(x);
  },
});
