import { realFunction } from "./part-real.ts";

export const log = realFunction({
  name: "log",
  summary: "The logarithm to the base of 10; with two arguments that of the second to the base of the first",
  params: [
    { name: "baseOrX", is: "number" },
    { name: "x", is: "number", isOptional: true },
  ],
  examples: [
    { sql: "log(1000)", gives: 3 },
    { sql: "log(x)", of: { x: 0.01 }, gives: -2 },
    { sql: "log(2, 8)", gives: 3 },
    { sql: "log(0)", gives: Number.NEGATIVE_INFINITY, mode: "compat" },
    { sql: "log(0)", gives: { error: /beyond what a float holds/ }, mode: "strict" },
    { sql: "log(-1)", gives: null, mode: "compat" },
    { sql: "log(-1)", gives: { error: /there is no result/ }, mode: "strict" },
    { sql: "log(2, x)", of: { x: null }, gives: null },
    { sql: "log('a')", gives: { error: /baseOrX must be number, and is string "a"/ } },
  ],
  of: (first, x, count) => (count === 1 ? Math.log10(first) : Math.log(x) / Math.log(first)),
});
