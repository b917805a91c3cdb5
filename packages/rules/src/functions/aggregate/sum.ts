import { defineAggregate } from "../define-aggregate.ts";
import { Sum } from "./part-sum.ts";

export const sum = defineAggregate({
  name: "sum",
  summary: "All values together; integers stay exact",
  params: [{ name: "x", is: "number" }],
  examples: [
    { sql: "sum(a)", rows: [{ a: 1n }, { a: null }, { a: 2n }], gives: 3n },
    { sql: "sum(a)", rows: [{ a: 1.5 }, { a: 2n }], gives: 3.5 },
    { sql: "sum(a)", rows: [{ a: 2n }, { a: 1.75 }], gives: 3n, mode: "compat" },
    { sql: "sum(a)", rows: [{ a: 2n }, { a: 1.75 }], gives: 3.75, mode: "strict" },
    { sql: "sum(a)", rows: [{ a: 9223372036854775807n }, { a: 1n }], gives: -9223372036854775808n, mode: "compat" },
    {
      sql: "sum(a)",
      rows: [{ a: 9223372036854775807n }, { a: 1n }],
      gives: { error: /does not fit 64 bits/ },
      mode: "strict",
    },
    { sql: "sum(a)", rows: [{ a: "x" }], gives: { error: /x must be number, and is string "x"/ } },
    { sql: "sum(a)", rows: [], gives: null },
  ],
  start({ mode }) {
    const total = new Sum(mode);
    return {
      add: ([x]) => total.add(x as number | bigint),
      result: () => (total.count === 0 ? null : total.value),
      save: () => total.save(),
      restore: (saved) => total.restore(saved),
    };
  },
});
