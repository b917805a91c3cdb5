import { limits } from "@penstock/model";
import { RowError } from "../../value/row-error.ts";
import { defineFunction } from "../define-function.ts";
import { tooLarge } from "./part-size.ts";

export const sequence = defineFunction({
  name: "sequence",
  group: "array",
  summary:
    "The integers from start to stop, both with them, 65,536 at most; without a step by 1 towards stop. A step away from stop gives none; in compat mode what division makes of it: an error, none, or start",
  params: [
    { name: "start", is: "integer" },
    { name: "stop", is: "integer" },
    { name: "step", is: "integer", isOptional: true },
  ],
  examples: [
    { sql: "sequence(1, 4)", gives: [1n, 2n, 3n, 4n] },
    { sql: "sequence(10, 1, -3)", gives: [10n, 7n, 4n, 1n] },
    { sql: "sequence(3, 1)", gives: [3n, 2n, 1n] },
    { sql: "sequence(1, x)", of: { x: null }, gives: null },
    { sql: "sequence(1, 5, -1)", gives: { error: /step -1 does not lead from 1 to 5/ }, mode: "compat" },
    { sql: "sequence(1, 3, -5)", gives: [1n], mode: "compat" },
    { sql: "sequence(1, 3, -5)", gives: [], mode: "strict" },
    { sql: "sequence(1, 5, 0)", gives: { error: /step must not be 0/ } },
    { sql: "sequence(1, 65537)", gives: { error: /sequence: the result has more than 65536 elements/ } },
    { sql: "sequence('1', 5)", gives: { error: /start must be integer, and is string "1"/ } },
  ],
  run([start, stop, given], { mode }) {
    const [from, to] = [start as bigint, stop as bigint];
    const step = (given as bigint | undefined) ?? (from < to ? 1n : -1n);
    if (step === 0n) throw new RowError("Cannot call sequence: step must not be 0");
    const isAway = from !== to && from < to !== step > 0n;
    if (isAway && mode === "strict") return [];
    const count = (to - from) / step + 1n;
    if (count < 0n) throw new RowError(`Cannot call sequence: step ${step} does not lead from ${from} to ${to}`);
    if (count > BigInt(limits.ruleValueParts)) throw tooLarge("sequence");
    return Array.from({ length: Number(count) }, (_one, at) => from + BigInt(at) * step);
  },
});
