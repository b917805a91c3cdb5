import { RowError } from "../../value/row-error.ts";
import { shown, type Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { structOf } from "./part-struct.ts";

export const zip = defineFunction({
  name: "zip",
  group: "struct",
  summary:
    "A struct from an array of arrays of name and value; null ones are left out. In compat mode null for an empty array",
  params: [{ name: "items", is: "array" }],
  examples: [
    { sql: "zip(a)", of: { a: [["x", 1n], null, ["y", null]] }, gives: { x: 1n, y: null } },
    { sql: "zip(items(s))", of: { s: { x: 1n, y: [2n] } }, gives: { x: 1n, y: [2n] } },
    { sql: "zip(a)", of: { a: [] }, gives: null, mode: "compat" },
    { sql: "zip(a)", of: { a: [] }, gives: {}, mode: "strict" },
    {
      sql: "zip(a)",
      of: {
        a: [
          ["x", 1n],
          ["x", 2n],
        ],
      },
      gives: { x: 2n },
      mode: "compat",
    },
    {
      sql: "zip(a)",
      of: {
        a: [
          ["x", 1n],
          ["x", 2n],
        ],
      },
      gives: { error: /"x" is there twice/ },
      mode: "strict",
    },
    { sql: "zip(a)", of: { a: null }, gives: null },
    { sql: "zip(a)", of: { a: [["x", 1n, 2n]] }, gives: { error: /element 0 must be a name and a value/ } },
    { sql: "zip(a)", of: { a: [[1n, 2n]] }, gives: { error: /element 0 must be a name and a value/ } },
    { sql: "zip(1)", gives: { error: /items must be array, and is bigint 1/ } },
  ],
  run([items], { mode }) {
    const all = items as readonly Value[];
    if (all.length === 0 && mode === "compat") return null;
    const entries = all.flatMap((one, at): [string, Value][] => {
      if (one === null) return [];
      if (Array.isArray(one) && one.length === 2 && typeof one[0] === "string") return [[one[0], one[1]]];
      throw new RowError(`Cannot call zip: element ${at} must be a name and a value, and is ${shown(one)}`);
    });
    return structOf("zip", entries, mode);
  },
});
