import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { extreme, extremeByFirst } from "./part-order.ts";

export const arrayMin = defineFunction({
  name: "array_min",
  group: "array",
  summary: "The element that no other is below; null ones do not count",
  params: [{ name: "array", is: "array" }],
  examples: [
    { sql: "array_min(a)", of: { a: [2n, null, 3n, 1n] }, gives: 1n },
    { sql: "array_min(a)", of: { a: ["b", "c", "a"] }, gives: "a" },
    { sql: "array_min(a)", of: { a: [] }, gives: null },
    { sql: "array_min(a)", of: { a: [null] }, gives: null },
    { sql: "array_min(a)", of: { a: null }, gives: null },
    { sql: "array_min(a)", of: { a: [2n, -4.9] }, gives: -4n, mode: "compat" },
    { sql: "array_min(a)", of: { a: [2n, -4.9] }, gives: -4.9, mode: "strict" },
    { sql: "array_min(a)", of: { a: [2n, -1e300] }, gives: { error: /-1e\+300 is beyond 64 bits/ }, mode: "compat" },
    {
      sql: "array_min(a)",
      of: { a: [2.5, 4n] },
      gives: { error: /the first element is float, and one is bigint/ },
      mode: "compat",
    },
    { sql: "array_min(a)", of: { a: [2.5, 4n] }, gives: 2.5, mode: "strict" },
    { sql: "array_min(a)", of: { a: [1n, "4"] }, gives: { error: /array_min: .*(one is string|numbers and texts)/ } },
    { sql: "array_min(1)", gives: { error: /array must be array, and is bigint 1/ } },
  ],
  run([array], { mode }) {
    const find = mode === "compat" ? extremeByFirst : extreme;
    return find("array_min", array as readonly Value[], -1);
  },
});
