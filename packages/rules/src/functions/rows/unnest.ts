import { RowError } from "../../value/row-error.ts";
import { kindOf, shown, type Value } from "../../value/value.ts";
import { defineRows } from "../define-rows.ts";

export const unnest = defineRows({
  name: "unnest",
  summary:
    "One row for each element of an array, in its order; none for an empty one. Elements that are structs become columns. Null is an error in compat mode, and no row in strict",
  param: { name: "array", is: "array" },
  examples: [
    {
      select: "unnest(a) AS x, b",
      row: { a: [1n, 2n], b: 3n },
      gives: [
        { x: 1n, b: 3n },
        { x: 2n, b: 3n },
      ],
    },
    { select: "unnest(a), b", row: { a: ["t"], b: 1n }, gives: [{ unnest: "t", b: 1n }] },
    {
      select: "unnest(a), b, c",
      row: { a: [{ x: 1n, b: 7n }, { x: 2n }], b: 3n, c: 4n },
      gives: [
        { x: 1n, b: 7n, c: 4n },
        { x: 2n, b: 3n, c: 4n },
      ],
    },
    {
      select: "b, unnest(a) AS x",
      row: { a: [{ y: 1n }, 2n, null], b: 3n },
      gives: [
        { b: 3n, y: 1n },
        { b: 3n, x: 2n },
        { b: 3n, x: null },
      ],
    },
    { select: "unnest(a) AS x, b", row: { a: [], b: 3n }, gives: [] },
    {
      select: "unnest(a) AS x",
      row: { a: null },
      gives: { error: /array must be array, and is null/ },
      mode: "compat",
    },
    { select: "unnest(a) AS x", row: { a: null }, gives: [], mode: "strict" },
    { select: "unnest(a) AS x", row: { a: 7n }, gives: { error: /array must be array, and is bigint 7/ } },
  ],
  run(value, mode) {
    if (Array.isArray(value)) return value as readonly Value[];
    if (value === null && mode === "strict") return [];
    throw new RowError(
      `Cannot call unnest: array must be array, and is ${value === null ? "null" : `${kindOf(value)} ${shown(value)}`}`,
    );
  },
});
