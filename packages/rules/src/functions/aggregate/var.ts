import { defineAggregate } from "../define-aggregate.ts";
import { spread } from "./part-numbers.ts";

export const variance = defineAggregate({
  name: "var",
  summary: "Variance of the whole population",
  params: [{ name: "x", is: "number" }],
  examples: [
    { sql: "var(a)", rows: [{ a: 1n }, { a: null }, { a: 3n }, { a: 5n }], gives: 8 / 3 },
    { sql: "var(a)", rows: [{ a: 4.0 }], gives: 0 },
    { sql: "var(a)", rows: [], gives: null },
  ],
  start: () => spread((squares, count) => squares / count),
});
