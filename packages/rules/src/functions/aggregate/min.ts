import { defineAggregate } from "../define-aggregate.ts";
import { best } from "./part-best.ts";

export const min = defineAggregate({
  name: "min",
  summary: "The least value",
  params: [{ name: "x", is: ["number", "text", "datetime"] }],
  examples: [
    { sql: "min(a)", rows: [{ a: 3n }, { a: null }, { a: 2n }], gives: 2n },
    { sql: "min(a)", rows: [{ a: "b" }, { a: "a" }], gives: "a" },
    { sql: "min(a)", rows: [{ a: "b" }, { a: 1n }], gives: { error: /Cannot compare/ } },
    { sql: "min(a)", rows: [], gives: null },
  ],
  start: () => best((order) => order < 0),
});
