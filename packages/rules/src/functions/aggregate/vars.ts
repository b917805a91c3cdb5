import { defineAggregate } from "../define-aggregate.ts";
import { spread } from "./part-numbers.ts";

export const vars = defineAggregate({
  name: "vars",
  summary: "Variance of a sample: divided by one less than the count; null of a single value",
  params: [{ name: "x", is: "number" }],
  examples: [
    { sql: "vars(a)", rows: [{ a: 1n }, { a: null }, { a: 3n }, { a: 5n }], gives: 4 },
    { sql: "vars(a)", rows: [{ a: 4.0 }], gives: null },
    { sql: "vars(a)", rows: [], gives: null },
  ],
  start: () => spread((squares, count) => (count === 1 ? null : squares / (count - 1))),
});
