import { RowError } from "../../value/row-error.ts";
import { isObject, kindOf, shown } from "../../value/value.ts";
import { defineRows } from "../define-rows.ts";

export const extract = defineRows({
  name: "extract",
  summary:
    "The fields of a struct as columns of the row, in place of those with their names. Null is an error in compat mode, and no row in strict",
  param: { name: "object", is: "struct" },
  examples: [
    { select: "extract(o), b", row: { o: { x: 1n, y: "t" }, b: 3n }, gives: [{ x: 1n, y: "t", b: 3n }] },
    { select: "b, extract(o)", row: { o: { b: 1n }, b: 3n }, gives: [{ b: 1n }] },
    { select: "extract(o) AS z, b", row: { o: {}, b: 3n }, gives: [{ b: 3n }] },
    { select: "extract(o)", row: { o: null }, gives: { error: /object must be struct, and is null/ }, mode: "compat" },
    { select: "extract(o), b", row: { o: null, b: 1n }, gives: [], mode: "strict" },
    { select: "extract(o)", row: { o: [1n] }, gives: { error: /object must be struct, and is array \[1\]/ } },
  ],
  run(value, mode) {
    if (isObject(value)) return [value];
    if (value === null && mode === "strict") return [];
    throw new RowError(
      `Cannot call extract: object must be struct, and is ${value === null ? "null" : `${kindOf(value)} ${shown(value)}`}`,
    );
  },
});
