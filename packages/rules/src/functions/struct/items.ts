import { effort } from "../../run/effort.ts";
import type { ObjectValue } from "../../value/value.ts";
import { bounded } from "../array/part-size.ts";
import { defineFunction } from "../define-function.ts";

export const items = defineFunction({
  name: "items",
  group: "struct",
  summary: "An array of name and value for each field. In compat mode null for a struct without fields",
  params: [{ name: "struct", is: "struct" }],
  examples: [
    {
      sql: "items(s)",
      of: { s: { a: 1n, b: null } },
      gives: [
        ["a", 1n],
        ["b", null],
      ],
    },
    { sql: "items(s)", of: { s: {} }, gives: null, mode: "compat" },
    { sql: "items(s)", of: { s: {} }, gives: [], mode: "strict" },
    { sql: "items(s)", of: { s: null }, gives: null },
    { sql: "items(1)", gives: { error: /struct must be struct, and is bigint 1/ } },
  ],
  run([struct], { mode }) {
    const all = Object.entries(struct as ObjectValue);
    effort.fields(2 * all.length);
    return all.length === 0 && mode === "compat" ? null : bounded("items", all);
  },
});
