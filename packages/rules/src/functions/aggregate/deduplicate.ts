import { effort } from "../../run/effort.ts";
import { isSame } from "../../value/compare.ts";
import type { Value } from "../../value/value.ts";
import { defineAggregate } from "../define-aggregate.ts";

export const deduplicate = defineAggregate({
  name: "deduplicate",
  summary:
    "Each value once, in the order of its first row; with all = false only the last, and nothing if it was there before",
  params: [
    { name: "x", is: "any" },
    { name: "all", is: "boolean" },
  ],
  takesNull: true,
  keeps: true,
  examples: [
    { sql: "deduplicate(a, true)", rows: [{ a: 1n }, { a: 2n }, { a: 1n }], gives: [1n, 2n] },
    { sql: "deduplicate(a, false)", rows: [{ a: 1n }, { a: 2n }], gives: 2n },
    { sql: "deduplicate(a, false)", rows: [{ a: 1n }, { a: 1n }], gives: null },
  ],
  start() {
    let values: Value[] = [];
    let last: { readonly value: Value; readonly isNew: boolean } = { value: null, isNew: false };
    let isAll = true;
    return {
      add([x, all]) {
        isAll = all !== false;
        const isNew = !values.some((one) => isSame(one, x!));
        if (isNew) values.push(x!);
        last = { value: x!, isNew };
      },
      save: () => [[...values], last.value, last.isNew, isAll],
      restore(saved) {
        const [before, value, isNew, all] = saved as readonly [readonly Value[], Value, boolean, boolean];
        values = [...before];
        last = { value, isNew };
        isAll = all;
      },
      result() {
        effort.parts(values.length);
        return isAll ? [...values] : last.isNew ? last.value : null;
      },
    };
  },
});
