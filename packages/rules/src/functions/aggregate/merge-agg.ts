import { effort } from "../../run/effort.ts";
import { isObject, type Value } from "../../value/value.ts";
import { defineAggregate } from "../define-aggregate.ts";

export const mergeAgg = defineAggregate({
  name: "merge_agg",
  summary: "One struct of all, in which later fields replace earlier ones; what is no struct does not count",
  params: [{ name: "x", is: "any" }],
  takesStar: true,
  keeps: true,
  examples: [
    { sql: "merge_agg(a)", rows: [{ a: { x: 1n } }, { a: null }, { a: { x: 2n, y: 3n } }], gives: { x: 2n, y: 3n } },
    { sql: "merge_agg(*)", rows: [{ a: 1n }, { a: 2n }], gives: { a: 2n } },
    { sql: "merge_agg(a)", rows: [{ a: 1n }], gives: {} },
  ],
  start() {
    const merged: { [name: string]: Value } = {};
    return {
      add([x]) {
        if (!isObject(x!)) return;
        effort.fields(Object.keys(x).length);
        Object.assign(merged, x);
      },
      result() {
        effort.fields(Object.keys(merged).length);
        return { ...merged };
      },
      save: () => ({ ...merged }),
      restore(saved) {
        Object.assign(merged, saved);
      },
    };
  },
});
