import type { ObjectValue } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";

export const values = defineFunction({
  name: "values",
  group: "struct",
  summary: "The values of the struct's fields",
  params: [{ name: "struct", is: "struct" }],
  examples: [
    { sql: "values(s)", of: { s: { a: 1n, b: null } }, gives: [1n, null] },
    { sql: "values(s)", of: { s: {} }, gives: [] },
    { sql: "values(s)", of: { s: null }, gives: null },
    { sql: "values('a')", gives: { error: /struct must be struct, and is string "a"/ } },
  ],
  run: ([struct]) => Object.values(struct as ObjectValue),
});
