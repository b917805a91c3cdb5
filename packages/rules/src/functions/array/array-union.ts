import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { distinct } from "./part-distinct.ts";
import { bounded } from "./part-size.ts";

export const arrayUnion = defineFunction({
  name: "array_union",
  group: "array",
  summary: "The elements of both arrays, each once",
  params: [
    { name: "array", is: "array" },
    { name: "other", is: "array" },
  ],
  takesNull: true,
  examples: [
    { sql: "array_union(a, b)", of: { a: [1n, 1n, 2n], b: [2n, "x"] }, gives: [1n, 2n, "x"] },
    { sql: "array_union(a, b)", of: { a: [1n], b: [1] }, gives: [1n, 1], mode: "compat" },
    { sql: "array_union(a, b)", of: { a: [1n], b: [1] }, gives: [1n], mode: "strict" },
    { sql: "array_union(a, b)", of: { a: [1n], b: null }, gives: [1n], mode: "compat" },
    { sql: "array_union(a, b)", of: { a: [1n], b: null }, gives: null, mode: "strict" },
    { sql: "array_union(a, 'x')", of: { a: ["x"] }, gives: { error: /other must be array, and is string "x"/ } },
  ],
  run([array, other], { mode }) {
    if (mode === "strict" && (array === null || other === null)) return null;
    const all = [...((array as readonly Value[] | null) ?? []), ...((other as readonly Value[] | null) ?? [])];
    return bounded("array_union", distinct("array_union", all, { mode }));
  },
});
