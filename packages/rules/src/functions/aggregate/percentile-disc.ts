import { defineAggregate } from "../define-aggregate.ts";
import { fractionOf, keepingNumbers } from "./part-numbers.ts";

export const percentileDisc = defineAggregate({
  name: "percentile_disc",
  summary: "The first value at or below which a fraction of all lies",
  params: [
    { name: "x", is: "number" },
    { name: "fraction", is: "number" },
  ],
  keeps: true,
  examples: [
    { sql: "percentile_disc(a, 0.5)", rows: [{ a: 1n }, { a: 2n }, { a: 4n }, { a: 8n }], gives: 2.0 },
    { sql: "percentile_disc(a, 0)", rows: [{ a: 5n }, { a: 2n }], gives: 2.0 },
    { sql: "percentile_disc(a, 0.5)", rows: [], gives: null },
  ],
  start: () =>
    keepingNumbers((numbers, [fraction]) => {
      const sorted = [...numbers].sort((a, b) => a - b);
      return sorted[Math.max(0, Math.ceil(fractionOf("percentile_disc", fraction!) * sorted.length) - 1)]!;
    }),
});
