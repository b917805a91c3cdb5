import { effort } from "../../run/effort.ts";
import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";

export const arrayShuffle = defineFunction({
  name: "array_shuffle",
  group: "array",
  summary: "The elements in an order of chance",
  params: [{ name: "array", is: "array" }],
  isPure: false,
  examples: [
    { sql: "array_cardinality(array_shuffle(a))", of: { a: [1n, 2n, 3n] }, gives: 3n },
    { sql: "array_sort(array_shuffle(a))", of: { a: ["b", "c", "a"] }, gives: ["a", "b", "c"] },
    { sql: "array_shuffle(a)", of: { a: null }, gives: null },
    { sql: "array_shuffle(1)", gives: { error: /array must be array, and is bigint 1/ } },
  ],
  run([array], { host }) {
    const all = [...(array as readonly Value[])];
    effort.parts(5 * all.length);
    for (let at = all.length - 1; at > 0; at--) {
      const other = Math.floor(host.random() * (at + 1));
      [all[at], all[other]] = [all[other]!, all[at]!];
    }
    return all;
  },
});
