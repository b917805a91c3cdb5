import { sum } from "../aggregate/sum.ts";
import { accumulating } from "./part-accumulate.ts";

export const accSum = accumulating({
  name: "acc_sum",
  summary: "The sum of all rows so far, or since the start condition held",
  is: "number",
  examples: [
    { sql: "acc_sum(a)", rows: [{ a: 1n }, { a: null }, { a: 2n }], gives: [1n, 1n, 3n] },
    {
      sql: "acc_sum(a, a > 1, a > 3)",
      rows: [{ a: 1n }, { a: 2n }, { a: 4n }, { a: 1n }, { a: 5n }],
      gives: [null, 2n, 6n, null, 5n],
    },
  ],
  start: sum.start,
});
