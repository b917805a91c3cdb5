import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { distinct } from "./part-distinct.ts";

export const arrayExcept = defineFunction({
  name: "array_except",
  group: "array",
  summary: "The elements of the first array that the second does not have, each once",
  params: [
    { name: "array", is: "array" },
    { name: "other", is: "array" },
  ],
  takesNull: true,
  examples: [
    { sql: "array_except(a, b)", of: { a: [1n, 1n, 2n, 3n], b: [3n, 4n] }, gives: [1n, 2n] },
    { sql: "array_except(a, b)", of: { a: [1n, 2n], b: [1] }, gives: [1n, 2n], mode: "compat" },
    { sql: "array_except(a, b)", of: { a: [1n, 2n], b: [1] }, gives: [2n], mode: "strict" },
    { sql: "array_except(a, b)", of: { a: null, b: [1n] }, gives: null },
    { sql: "array_except(a, b)", of: { a: [1n, 1n], b: null }, gives: [1n], mode: "compat" },
    { sql: "array_except(a, b)", of: { a: [1n, 1n], b: null }, gives: null, mode: "strict" },
    { sql: "array_except(1, a)", of: { a: [1n] }, gives: { error: /array must be array, and is bigint 1/ } },
  ],
  run([array, other], { mode }) {
    if (array === null || (other === null && mode === "strict")) return null;
    const without = (other as readonly Value[] | null) ?? [];
    return distinct("array_except", array as readonly Value[], { mode, without });
  },
});
