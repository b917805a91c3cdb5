import { elementOf } from "../../plan/compile-access.ts";
import { RowError } from "../../value/row-error.ts";
import { isObject, kindOf, shown } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";

export const elementAt = defineFunction({
  name: "element_at",
  group: "array",
  summary: "The element of an array at an index, counted from 0, below 0 from the end; or the field of a struct",
  params: [
    { name: "of", is: ["array", "struct"] },
    { name: "at", is: ["integer", "text"] },
  ],
  examples: [
    { sql: "element_at(a, 1)", of: { a: [1n, 2n, 3n] }, gives: 2n },
    { sql: "element_at(a, -1)", of: { a: [1n, 2n, 3n] }, gives: 3n },
    { sql: "element_at(s, 'b')", of: { s: { a: 1n, b: 2n } }, gives: 2n },
    { sql: "element_at(s, 'c')", of: { s: { a: 1n } }, gives: null },
    { sql: "element_at(a, 0)", of: { a: null }, gives: null },
    { sql: "element_at(a, 3)", of: { a: [1n, 2n, 3n] }, gives: { error: /array of 3 with \[3\]: outside of it/ } },
    { sql: "element_at(s, 1)", of: { s: { a: 1n } }, gives: { error: /a struct takes a text, and gets bigint 1/ } },
    { sql: "element_at('a', 0)", gives: { error: /of must be array or struct, and is string "a"/ } },
  ],
  run([of, at]) {
    if (isObject(of!)) {
      if (typeof at === "string") return Object.hasOwn(of, at) ? of[at]! : null;
      throw new RowError(`Cannot call element_at: a struct takes a text, and gets ${kindOf(at!)} ${shown(at!)}`);
    }
    return elementOf(of!, at!);
  },
});
