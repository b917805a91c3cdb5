import { avg } from "../aggregate/avg.ts";
import { accumulating } from "./part-accumulate.ts";

export const accAvg = accumulating({
  name: "acc_avg",
  summary: "The mean of all rows so far, or since the start condition held",
  is: "number",
  examples: [
    { sql: "acc_avg(a)", rows: [{ a: 1.0 }, { a: 2.0 }], gives: [1.0, 1.5] },
    { sql: "acc_avg(a)", rows: [{ a: 1n }, { a: 2n }], gives: [1n, 1n], mode: "compat" },
  ],
  start: avg.start,
});
