import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { bounded } from "./part-size.ts";

export const arrayFlatten = defineFunction({
  name: "array_flatten",
  group: "array",
  summary: "The array with the elements of the arrays in it in their place, one level deep",
  params: [{ name: "array", is: "array" }],
  examples: [
    {
      sql: "array_flatten(a)",
      of: {
        a: [
          [1n, 4n],
          [2n, 3n],
        ],
      },
      gives: [1n, 4n, 2n, 3n],
    },
    { sql: "array_flatten(a)", of: { a: [[1n, [2n]], 3n, null] }, gives: [1n, [2n], 3n, null] },
    { sql: "array_flatten(a)", of: { a: null }, gives: null },
    { sql: "array_flatten(1)", gives: { error: /array must be array, and is bigint 1/ } },
  ],
  run([array]) {
    return bounded("array_flatten", array as readonly Value[]).flat() as Value[];
  },
});
