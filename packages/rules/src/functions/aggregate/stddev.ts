import { defineAggregate } from "../define-aggregate.ts";
import { spread } from "./part-numbers.ts";

export const stddev = defineAggregate({
  name: "stddev",
  summary: "Standard deviation of the whole population",
  params: [{ name: "x", is: "number" }],
  examples: [
    { sql: "stddev(a)", rows: [{ a: 1n }, { a: null }, { a: 3n }, { a: 5n }], gives: Math.sqrt(8 / 3) },
    { sql: "stddev(a)", rows: [{ a: 4.0 }], gives: 0 },
    { sql: "stddev(a)", rows: [], gives: null },
  ],
  start: () => spread((squares, count) => Math.sqrt(squares / count)),
});
