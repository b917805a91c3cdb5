import { defineAggregate } from "../define-aggregate.ts";
import { best } from "./part-best.ts";

export const max = defineAggregate({
  name: "max",
  summary: "The greatest value",
  params: [{ name: "x", is: ["number", "text", "datetime"] }],
  examples: [
    { sql: "max(a)", rows: [{ a: 3n }, { a: null }, { a: 2.5 }], gives: 3n },
    { sql: "max(a)", rows: [{ a: "b" }, { a: "a" }], gives: "b" },
    { sql: "max(a)", rows: [], gives: null },
  ],
  start: () => best((order) => order > 0),
});
