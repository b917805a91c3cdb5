import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { extreme, extremeByFirst } from "./part-order.ts";

export const arrayMax = defineFunction({
  name: "array_max",
  group: "array",
  summary: "The element that no other is above; null ones do not count",
  params: [{ name: "array", is: "array" }],
  examples: [
    { sql: "array_max(a)", of: { a: [2n, null, 3n, 1n] }, gives: 3n },
    { sql: "array_max(a)", of: { a: ["b", "c", "a"] }, gives: "c" },
    { sql: "array_max(a)", of: { a: [] }, gives: null },
    { sql: "array_max(a)", of: { a: [null] }, gives: null },
    { sql: "array_max(a)", of: { a: null }, gives: null },
    { sql: "array_max(a)", of: { a: [2n, 4.9] }, gives: 4n, mode: "compat" },
    { sql: "array_max(a)", of: { a: [2n, 4.9] }, gives: 4.9, mode: "strict" },
    {
      sql: "array_max(a)",
      of: { a: [2.5, 4n] },
      gives: { error: /the first element is float, and one is bigint/ },
      mode: "compat",
    },
    { sql: "array_max(a)", of: { a: [2.5, 4n] }, gives: 4n, mode: "strict" },
    { sql: "array_max(a)", of: { a: [1n, "4"] }, gives: { error: /array_max: .*(one is string|numbers and texts)/ } },
    { sql: "array_max(1)", gives: { error: /array must be array, and is bigint 1/ } },
  ],
  run([array], { mode }) {
    const find = mode === "compat" ? extremeByFirst : extreme;
    return find("array_max", array as readonly Value[], 1);
  },
});
