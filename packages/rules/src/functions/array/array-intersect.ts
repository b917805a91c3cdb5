import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { elementKey } from "./part-same.ts";

export const arrayIntersect = defineFunction({
  name: "array_intersect",
  group: "array",
  summary: "The elements of the second array that the first has too, each once",
  params: [
    { name: "array", is: "array" },
    { name: "other", is: "array" },
  ],
  examples: [
    { sql: "array_intersect(a, b)", of: { a: [1n, 1n, 2n, 3n], b: [3n, 1n, 1n, 4n] }, gives: [3n, 1n] },
    { sql: "array_intersect(a, b)", of: { a: [1n], b: [2n] }, gives: [] },
    { sql: "array_intersect(a, b)", of: { a: [1n, "x"], b: [1, "x"] }, gives: ["x"], mode: "compat" },
    { sql: "array_intersect(a, b)", of: { a: [1n, "x"], b: [1, "x"] }, gives: [1, "x"], mode: "strict" },
    { sql: "array_intersect(a, b)", of: { a: null, b: [1n] }, gives: null },
    { sql: "array_intersect(a, 'x')", of: { a: ["x"] }, gives: { error: /other must be array, and is string "x"/ } },
  ],
  run([array, other], { mode }) {
    const key = (one: Value) => elementKey("array_intersect", one, mode);
    const known = new Set((array as readonly Value[]).map(key));
    known.delete(null);
    return (other as readonly Value[]).filter((one) => known.delete(key(one)));
  },
});
