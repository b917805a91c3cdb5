import { max } from "../aggregate/max.ts";
import { accumulating } from "./part-accumulate.ts";

export const accMax = accumulating({
  name: "acc_max",
  summary: "The greatest of all rows so far, or since the start condition held",
  is: ["number", "text", "datetime"],
  examples: [{ sql: "acc_max(a)", rows: [{ a: 2n }, { a: 1n }, { a: 3n }], gives: [2n, 2n, 3n] }],
  start: max.start,
});
