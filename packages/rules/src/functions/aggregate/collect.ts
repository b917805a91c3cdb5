import { effort } from "../../run/effort.ts";
import type { Value } from "../../value/value.ts";
import { defineAggregate } from "../define-aggregate.ts";

export const collect = defineAggregate({
  name: "collect",
  summary: "All values in their order as an array, or with * all rows as structs; null where a row has none",
  params: [{ name: "x", is: "any" }],
  takesStar: true,
  takesNull: true,
  keeps: true,
  examples: [
    { sql: "collect(a)", rows: [{ a: 3n }, { a: null }, { a: 2n }], gives: [3n, null, 2n] },
    { sql: "collect(*)", rows: [{ a: 3n }, { a: 2n }], gives: [{ a: 3n }, { a: 2n }] },
    { sql: "collect(*)[1]->a", rows: [{ a: 3n }, { a: 2n }], gives: 2n },
    { sql: "collect(a)", rows: [], gives: [] },
  ],
  start() {
    let values: Value[] = [];
    return {
      add: ([x]) => void values.push(x!),
      result() {
        effort.parts(values.length);
        return [...values];
      },
      save: () => [...values],
      restore(saved) {
        values = [...(saved as readonly Value[])];
      },
    };
  },
});
