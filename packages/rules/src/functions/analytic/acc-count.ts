import { count } from "../aggregate/count.ts";
import { accumulating } from "./part-accumulate.ts";

export const accCount = accumulating({
  name: "acc_count",
  summary: "How many rows there were so far, or since the start condition held",
  is: "any",
  examples: [{ sql: "acc_count(a)", rows: [{ a: 1n }, { a: null }, { a: 2n }], gives: [1n, 1n, 2n] }],
  start: count.start,
});
