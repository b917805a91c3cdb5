import { defineAggregate } from "../define-aggregate.ts";
import { spread } from "./part-numbers.ts";

export const stddevs = defineAggregate({
  name: "stddevs",
  summary: "Standard deviation of a sample: divided by one less than the count; null of a single value",
  params: [{ name: "x", is: "number" }],
  examples: [
    { sql: "stddevs(a)", rows: [{ a: 1n }, { a: null }, { a: 3n }, { a: 5n }], gives: 2 },
    { sql: "stddevs(a)", rows: [{ a: 4.0 }], gives: null },
    { sql: "stddevs(a)", rows: [], gives: null },
  ],
  start: () => spread((squares, count) => (count === 1 ? null : Math.sqrt(squares / (count - 1)))),
});
