import { defineFunction } from "../define-function.ts";
import { bounded } from "./part-size.ts";

export const arrayCreate = defineFunction({
  name: "array_create",
  group: "array",
  summary: "An array of the arguments. In compat mode without those that are null, and null when none is left",
  params: [{ name: "values", is: "any", repeats: { least: 0 } }],
  takesNull: true,
  examples: [
    { sql: "array_create(1, '2', 3.5)", gives: [1n, "2", 3.5] },
    { sql: "array_create(1, x, 3)", of: { x: null }, gives: [1n, 3n], mode: "compat" },
    { sql: "array_create(1, x, 3)", of: { x: null }, gives: [1n, null, 3n], mode: "strict" },
    { sql: "array_create(x)", of: { x: null }, gives: null, mode: "compat" },
    { sql: "array_create()", gives: [], mode: "strict" },
    {
      sql: "array_create(repeat(0, 65536))",
      gives: { error: /array_create: the result has more than 65536 elements/ },
    },
  ],
  run(values, { mode }) {
    if (mode === "strict") return bounded("array_create", [...values]);
    const known = values.filter((one) => one !== null);
    return known.length === 0 ? null : bounded("array_create", known);
  },
});
