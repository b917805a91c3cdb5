import { RowError } from "../../value/row-error.ts";
import { kindOf, shown, type Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";

export const cardinality = defineFunction({
  name: "cardinality",
  group: "array",
  summary: "How many elements the array has, null ones with them",
  params: [{ name: "array", is: "any" }],
  takesNull: true,
  examples: [
    { sql: "cardinality(a)", of: { a: [1n, null, 3n] }, gives: 3n },
    { sql: "cardinality(a)", of: { a: [] }, gives: 0n },
    { sql: "cardinality(a)", of: { a: null }, gives: 0n, mode: "compat" },
    { sql: "cardinality(a)", of: { a: null }, gives: null, mode: "strict" },
    { sql: "cardinality('abc')", gives: 0n, mode: "compat" },
    { sql: "cardinality('abc')", gives: { error: /array must be array, and is string "abc"/ }, mode: "strict" },
  ],
  run([array], { mode }) {
    if (Array.isArray(array)) return BigInt((array as readonly Value[]).length);
    if (mode === "compat") return 0n;
    if (array === null) return null;
    throw new RowError(`Cannot call cardinality: array must be array, and is ${kindOf(array!)} ${shown(array!)}`);
  },
});
