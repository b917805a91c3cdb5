import { limits } from "@penstock/model";
import { RowError } from "../../value/row-error.ts";
import { defineFunction } from "../define-function.ts";
import { bounded, tooLarge } from "./part-size.ts";

export const repeat = defineFunction({
  name: "repeat",
  group: "array",
  summary: "An array that has the value so many times, 65,536 at most",
  params: [
    { name: "value", is: "any" },
    { name: "count", is: "integer" },
  ],
  examples: [
    { sql: "repeat('a', 3)", gives: ["a", "a", "a"] },
    { sql: "repeat(1, 0)", gives: [] },
    { sql: "repeat(x, 2)", of: { x: null }, gives: null },
    { sql: "repeat(1, 'a')", gives: { error: /count must be integer, and is string "a"/ } },
    { sql: "repeat(1, -1)", gives: { error: /count must not be below 0, and is -1/ } },
    { sql: "repeat(1, 65537)", gives: { error: /repeat: the result has more than 65536 elements/ } },
    {
      sql: "repeat(t, 60000)",
      of: { t: "x".repeat(100) },
      gives: { error: /repeat: the result holds more than 4194304 characters/ },
    },
    { sql: "repeat(repeat(1, 1000), 1000)", gives: { error: /repeat: the result has more than 65536 elements/ } },
  ],
  run([value, count]) {
    const times = count as bigint;
    if (times < 0n) throw new RowError(`Cannot call repeat: count must not be below 0, and is ${times}`);
    if (times > BigInt(limits.ruleValueParts)) throw tooLarge("repeat");
    return bounded("repeat", new Array(Number(times)).fill(value));
  },
});
