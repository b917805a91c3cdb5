import { RowError } from "../../value/row-error.ts";
import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { elementKey } from "./part-same.ts";

export const arrayContainsAny = defineFunction({
  name: "array_contains_any",
  group: "array",
  summary: "Whether the arrays have an element in common",
  params: [
    { name: "array", is: "array" },
    { name: "other", is: "array" },
  ],
  takesNull: true,
  examples: [
    { sql: "array_contains_any(a, b)", of: { a: [1n, 2n, 3n], b: [0n, 2n] }, gives: true },
    { sql: "array_contains_any(a, b)", of: { a: [1n, 2n], b: [4n, "hello"] }, gives: false },
    { sql: "array_contains_any(a, b)", of: { a: [1n], b: [1] }, gives: false, mode: "compat" },
    { sql: "array_contains_any(a, b)", of: { a: [1n], b: [1] }, gives: true, mode: "strict" },
    { sql: "array_contains_any(a, b)", of: { a: null, b: [1n] }, gives: false, mode: "compat" },
    {
      sql: "array_contains_any(a, b)",
      of: { a: [1n], b: null },
      gives: { error: /other must be array/ },
      mode: "compat",
    },
    { sql: "array_contains_any(a, b)", of: { a: [1n], b: null }, gives: null, mode: "strict" },
    { sql: "array_contains_any(a, 1)", of: { a: [1n] }, gives: { error: /other must be array, and is bigint 1/ } },
  ],
  run([array, other], { mode }) {
    if (array === null) return mode === "compat" ? false : null;
    if (other === null) {
      if (mode === "strict") return null;
      throw new RowError("Cannot call array_contains_any: other must be array, and is null");
    }
    const key = (one: Value) => elementKey("array_contains_any", one, mode);
    const known = new Set((array as readonly Value[]).map(key));
    known.delete(null);
    return (other as readonly Value[]).some((one) => known.has(key(one)));
  },
});
