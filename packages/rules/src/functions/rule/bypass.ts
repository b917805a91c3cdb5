import { defineFunction } from "../define-function.ts";

export const bypass = defineFunction({
  name: "bypass",
  group: "rule",
  summary: "The value as it is",
  params: [{ name: "value", is: "any" }],
  takesNull: true,
  examples: [
    { sql: "bypass(x)", of: { x: 21.5 }, gives: 21.5 },
    { sql: "bypass(x)", of: { x: [1n, null] }, gives: [1n, null] },
    { sql: "bypass(x)", of: { x: null }, gives: null },
  ],
  run: ([value]) => value!,
});
