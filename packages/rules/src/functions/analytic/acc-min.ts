import { min } from "../aggregate/min.ts";
import { accumulating } from "./part-accumulate.ts";

export const accMin = accumulating({
  name: "acc_min",
  summary: "The least of all rows so far, or since the start condition held",
  is: ["number", "text", "datetime"],
  examples: [{ sql: "acc_min(a)", rows: [{ a: 2n }, { a: 1n }, { a: 3n }], gives: [2n, 1n, 1n] }],
  start: min.start,
});
