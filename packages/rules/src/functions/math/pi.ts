import { defineFunction } from "../define-function.ts";

export const pi = defineFunction({
  name: "pi",
  group: "math",
  summary: "The ratio of a circle's circumference to its diameter",
  params: [],
  examples: [
    { sql: "pi()", gives: Math.PI },
    { sql: "2 * pi()", gives: 2 * Math.PI },
    { sql: "PI() * r", of: { r: 2n }, gives: 2 * Math.PI },
  ],
  run: () => Math.PI,
});
