import { defineAggregate } from "../define-aggregate.ts";

export const count = defineAggregate({
  name: "count",
  summary: "How many rows there are, or how many have a value",
  params: [{ name: "x", is: "any" }],
  takesStar: true,
  examples: [
    { sql: "count(*)", rows: [{ a: 1n }, { a: null }], gives: 2n },
    { sql: "count(a)", rows: [{ a: 1n }, { a: null }], gives: 1n },
    { sql: "count(*)", rows: [], gives: 0n },
  ],
  start() {
    let rows = 0;
    return {
      add() {
        rows++;
      },
      result: () => BigInt(rows),
      save: () => rows,
      restore(saved) {
        rows = saved as number;
      },
    };
  },
});
