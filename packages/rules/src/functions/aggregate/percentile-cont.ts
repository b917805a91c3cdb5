import { defineAggregate } from "../define-aggregate.ts";
import { fractionOf, keepingNumbers } from "./part-numbers.ts";

export const percentileCont = defineAggregate({
  name: "percentile_cont",
  also: ["percentile"],
  summary: "The value below which a fraction of all lies, between two of them where it falls there",
  params: [
    { name: "x", is: "number" },
    { name: "fraction", is: "number" },
  ],
  keeps: true,
  examples: [
    { sql: "percentile_cont(a, 0.5)", rows: [{ a: 1n }, { a: 2n }, { a: 4n }, { a: 8n }], gives: 3.0 },
    { sql: "percentile_cont(a, 1)", rows: [{ a: 1n }, { a: 2n }], gives: 2.0 },
    {
      sql: "percentile_cont(a, 1.5)",
      rows: [{ a: 1n }],
      gives: { error: /fraction must be between 0 and 1, and is 1.5/ },
    },
    { sql: "percentile_cont(a, 0.5)", rows: [], gives: null },
  ],
  start: () =>
    keepingNumbers((numbers, [fraction]) => {
      const sorted = [...numbers].sort((a, b) => a - b);
      const at = fractionOf("percentile_cont", fraction!) * (sorted.length - 1);
      const below = sorted[Math.floor(at)]!;
      return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
    }),
});
