import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { sameElement } from "./part-same.ts";

export const arrayContains = defineFunction({
  name: "array_contains",
  group: "array",
  summary: "Whether the value is an element of the array",
  params: [
    { name: "array", is: "array" },
    { name: "value", is: "any" },
  ],
  takesNull: true,
  examples: [
    { sql: "array_contains(a, 2)", of: { a: [1n, 2n] }, gives: true },
    { sql: "array_contains(a, 3)", of: { a: [1n, 2n] }, gives: false },
    { sql: "array_contains(a, x)", of: { a: [1n, null], x: null }, gives: true },
    { sql: "array_contains(a, 2)", of: { a: [1, 2] }, gives: false, mode: "compat" },
    { sql: "array_contains(a, 2)", of: { a: [1, 2] }, gives: true, mode: "strict" },
    { sql: "array_contains(a, b)", of: { a: [[1n]], b: [1n] }, gives: { error: /does not compare/ }, mode: "compat" },
    { sql: "array_contains(a, b)", of: { a: [[1n]], b: [1n] }, gives: true, mode: "strict" },
    { sql: "array_contains(a, 2)", of: { a: null }, gives: false, mode: "compat" },
    { sql: "array_contains(a, 2)", of: { a: null }, gives: null, mode: "strict" },
    { sql: "array_contains(1, 2)", gives: { error: /array must be array, and is bigint 1/ } },
  ],
  run([array, value], { mode }) {
    if (array === null) return mode === "compat" ? false : null;
    const all = array as readonly Value[];
    return all.some((one) => sameElement("array_contains", one, value!, mode));
  },
});
