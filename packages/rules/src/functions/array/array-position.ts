import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { sameElement } from "./part-same.ts";

export const arrayPosition = defineFunction({
  name: "array_position",
  group: "array",
  summary: "Where the value stands first in the array, counted from 0; -1 where it does not",
  params: [
    { name: "array", is: "array" },
    { name: "value", is: "any" },
  ],
  takesNull: true,
  examples: [
    { sql: "array_position(a, 1)", of: { a: [3n, 1n, 1n] }, gives: 1n },
    { sql: "array_position(a, 4)", of: { a: [3n, 2n] }, gives: -1n },
    { sql: "array_position(a, x)", of: { a: [3n, null], x: null }, gives: 1n },
    { sql: "array_position(a, 1)", of: { a: [1] }, gives: -1n, mode: "compat" },
    { sql: "array_position(a, 1)", of: { a: [1] }, gives: 0n, mode: "strict" },
    { sql: "array_position(a, 1)", of: { a: null }, gives: -1n, mode: "compat" },
    { sql: "array_position(a, 1)", of: { a: null }, gives: null, mode: "strict" },
    { sql: "array_position(1, 2)", gives: { error: /array must be array, and is bigint 1/ } },
  ],
  run([array, value], { mode }) {
    if (array === null) return mode === "compat" ? -1n : null;
    const all = array as readonly Value[];
    return BigInt(all.findIndex((one) => sameElement("array_position", one, value!, mode)));
  },
});
