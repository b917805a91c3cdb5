import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { sameElement } from "./part-same.ts";

export const arrayRemove = defineFunction({
  name: "array_remove",
  group: "array",
  summary: "The array without the elements that are the value",
  params: [
    { name: "array", is: "array" },
    { name: "value", is: "any" },
  ],
  takesNull: true,
  examples: [
    { sql: "array_remove(a, 3)", of: { a: [1n, 3n, 4n, 3n] }, gives: [1n, 4n] },
    { sql: "array_remove(a, x)", of: { a: [1n, null], x: null }, gives: [1n] },
    { sql: "array_remove(a, 3)", of: { a: [1, 3] }, gives: [1, 3], mode: "compat" },
    { sql: "array_remove(a, 3)", of: { a: [1, 3] }, gives: [1], mode: "strict" },
    { sql: "array_remove(a, 3)", of: { a: null }, gives: null },
    { sql: "array_remove('3', 3)", gives: { error: /array must be array, and is string "3"/ } },
  ],
  run([array, value], { mode }) {
    if (array === null) return null;
    return (array as readonly Value[]).filter((one) => !sameElement("array_remove", one, value!, mode));
  },
});
