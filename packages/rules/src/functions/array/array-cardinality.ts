import { effort } from "../../run/effort.ts";
import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";

export const arrayCardinality = defineFunction({
  name: "array_cardinality",
  group: "array",
  summary: "How many elements of the array are not null",
  params: [{ name: "array", is: "array" }],
  takesNull: true,
  examples: [
    { sql: "array_cardinality(a)", of: { a: [1n, null, 3n] }, gives: 2n },
    { sql: "array_cardinality(a)", of: { a: [] }, gives: 0n },
    { sql: "array_cardinality(a)", of: { a: null }, gives: 0n, mode: "compat" },
    { sql: "array_cardinality(a)", of: { a: null }, gives: null, mode: "strict" },
    { sql: "array_cardinality('abc')", gives: { error: /array must be array, and is string "abc"/ } },
  ],
  run([array], { mode }) {
    if (array === null) return mode === "compat" ? 0n : null;
    effort.parts((array as readonly Value[]).length);
    return BigInt((array as readonly Value[]).filter((one) => one !== null && one !== undefined).length);
  },
});
