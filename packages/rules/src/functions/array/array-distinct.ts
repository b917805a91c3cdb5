import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { distinct } from "./part-distinct.ts";
import { isNested } from "./part-same.ts";

export const arrayDistinct = defineFunction({
  name: "array_distinct",
  group: "array",
  summary: "The array with each element once. In compat mode arrays and structs in it all stay",
  params: [{ name: "array", is: "array" }],
  examples: [
    { sql: "array_distinct(a)", of: { a: [1n, 2n, 2n, null, 1n, null] }, gives: [1n, 2n, null] },
    { sql: "array_distinct(a)", of: { a: [1n, 1] }, gives: [1n, 1], mode: "compat" },
    { sql: "array_distinct(a)", of: { a: [1n, 1] }, gives: [1n], mode: "strict" },
    { sql: "array_distinct(a)", of: { a: [[1n], [1n]] }, gives: [[1n], [1n]], mode: "compat" },
    {
      sql: "array_distinct(a)",
      of: {
        a: [
          { b: 1n, c: 2n },
          { c: 2n, b: 1 },
        ],
      },
      gives: [{ b: 1n, c: 2n }],
      mode: "strict",
    },
    { sql: "array_distinct(a)", of: { a: null }, gives: null },
    { sql: "array_distinct(1)", gives: { error: /array must be array, and is bigint 1/ } },
  ],
  run([array], { mode }) {
    const all = array as readonly Value[];
    if (mode === "strict") return distinct("array_distinct", all, { mode });
    const first = new Set(
      distinct(
        "array_distinct",
        all.filter((one) => !isNested(one)),
        { mode },
      ),
    );
    return all.filter((one) => isNested(one) || first.delete(one));
  },
});
