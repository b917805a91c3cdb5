import { defineFunction } from "../define-function.ts";

export const coalesce = defineFunction({
  name: "coalesce",
  group: "rule",
  summary: "The first of the values that is not null; null where all are",
  params: [{ name: "value", is: "any", repeats: { least: 1 } }],
  takesNull: true,
  examples: [
    { sql: "coalesce(a, b, 0)", of: { a: null, b: 21.5 }, gives: 21.5 },
    { sql: "coalesce(a, 0)", of: { a: null }, gives: 0n },
    { sql: "coalesce(a, 'none')", of: { a: false }, gives: false },
    { sql: "coalesce(a, a)", of: { a: null }, gives: null },
  ],
  run: (values) => values.find((value) => value !== null) ?? null,
});
