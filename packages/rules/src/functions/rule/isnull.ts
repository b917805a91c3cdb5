import { defineFunction } from "../define-function.ts";

export const isnull = defineFunction({
  name: "isnull",
  group: "rule",
  summary: "Whether there is no value",
  params: [{ name: "value", is: "any" }],
  takesNull: true,
  examples: [
    { sql: "isnull(x)", of: { x: null }, gives: true },
    { sql: "isNull(x)", of: { x: 0.0 }, gives: false },
    { sql: "isnull('')", gives: false },
    { sql: "isnull(x)", of: { x: [] }, gives: false },
  ],
  run: ([value]) => value === null,
});
