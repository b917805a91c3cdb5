import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { sameElement } from "./part-same.ts";

export const arrayLastPosition = defineFunction({
  name: "array_last_position",
  group: "array",
  summary: "Where the value stands last in the array, counted from 0; -1 where it does not",
  params: [
    { name: "array", is: "array" },
    { name: "value", is: "any" },
  ],
  takesNull: true,
  examples: [
    { sql: "array_last_position(a, 5)", of: { a: [5n, null, 5n, 2n] }, gives: 2n },
    { sql: "array_last_position(a, 'hello')", of: { a: [5n, null] }, gives: -1n },
    { sql: "array_last_position(a, x)", of: { a: [null, "b", null], x: null }, gives: 2n },
    { sql: "array_last_position(a, 1)", of: { a: null }, gives: -1n, mode: "compat" },
    { sql: "array_last_position(a, 1)", of: { a: null }, gives: null, mode: "strict" },
    { sql: "array_last_position('a', 2)", gives: { error: /array must be array, and is string "a"/ } },
  ],
  run([array, value], { mode }) {
    if (array === null) return mode === "compat" ? -1n : null;
    const all = array as readonly Value[];
    return BigInt(all.findLastIndex((one) => sameElement("array_last_position", one, value!, mode)));
  },
});
