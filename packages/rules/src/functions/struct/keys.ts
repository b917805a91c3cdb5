import { defineFunction } from "../define-function.ts";

export const keys = defineFunction({
  name: "keys",
  group: "struct",
  summary: "The names of the struct's fields",
  params: [{ name: "struct", is: "struct" }],
  examples: [
    { sql: "keys(s)", of: { s: { a: 1n, b: null } }, gives: ["a", "b"] },
    { sql: "keys(s)", of: { s: {} }, gives: [] },
    { sql: "keys(s)", of: { s: null }, gives: null },
    { sql: "keys(1)", gives: { error: /struct must be struct, and is bigint 1/ } },
  ],
  run: ([struct]) => Object.keys(struct as object),
});
