import { defineAggregate } from "../define-aggregate.ts";
import { keepingNumbers } from "./part-numbers.ts";

export const median = defineAggregate({
  name: "median",
  summary: "The middle value, or the mean of the two in the middle",
  params: [{ name: "x", is: "number" }],
  keeps: true,
  examples: [
    { sql: "median(a)", rows: [{ a: 3n }, { a: null }, { a: 1n }, { a: 2n }], gives: 2.0 },
    { sql: "median(a)", rows: [{ a: 1.0 }, { a: 4.0 }], gives: 2.5 },
    { sql: "median(a)", rows: [], gives: null },
  ],
  start: () =>
    keepingNumbers((numbers) => {
      const sorted = [...numbers].sort((a, b) => a - b);
      const middle = sorted.length >> 1;
      return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
    }),
});
