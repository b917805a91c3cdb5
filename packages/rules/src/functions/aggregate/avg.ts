import { defineAggregate } from "../define-aggregate.ts";
import { Sum } from "./part-sum.ts";

export const avg = defineAggregate({
  name: "avg",
  summary: "The mean",
  params: [{ name: "x", is: "number" }],
  examples: [
    { sql: "avg(a)", rows: [{ a: 1.0 }, { a: null }, { a: 2.5 }], gives: 1.75 },
    { sql: "avg(a)", rows: [{ a: 1n }, { a: 2n }], gives: 1n, mode: "compat" },
    { sql: "avg(a)", rows: [{ a: 1n }, { a: 2n }], gives: 1.5, mode: "strict" },
    { sql: "avg(a)", rows: [{ a: null }], gives: null },
  ],
  start({ mode }) {
    const total = new Sum(mode);
    return {
      add: ([x]) => total.add(x as number | bigint),
      result: () => total.mean,
      save: () => total.save(),
      restore: (saved) => total.restore(saved),
    };
  },
});
