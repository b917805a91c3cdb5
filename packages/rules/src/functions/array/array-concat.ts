import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { bounded } from "./part-size.ts";

export const arrayConcat = defineFunction({
  name: "array_concat",
  group: "array",
  summary: "The elements of all arrays, one array after the other; one that is null has none",
  params: [{ name: "arrays", is: "array", repeats: { least: 1 } }],
  takesNull: true,
  examples: [
    { sql: "array_concat(a, b)", of: { a: [1n], b: ["2", null] }, gives: [1n, "2", null] },
    { sql: "array_concat(a, b, a)", of: { a: [1n], b: [] }, gives: [1n, 1n] },
    { sql: "array_concat(a, b)", of: { a: [1n], b: null }, gives: [1n] },
    { sql: "array_concat(a, 2)", of: { a: [1n] }, gives: { error: /arrays must be array, and is bigint 2/ } },
    {
      sql: "array_concat(a, a)",
      of: { a: new Array(40_000).fill(1n) },
      gives: { error: /array_concat: the result has more than 65536 elements/ },
    },
  ],
  run(arrays) {
    return bounded(
      "array_concat",
      arrays.flatMap((one) => (one as readonly Value[] | null) ?? []),
    );
  },
});
