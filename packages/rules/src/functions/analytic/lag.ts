import { limits } from "@penstock/model";
import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import type { Value } from "../../value/value.ts";
import { defineAnalytic } from "../define-analytic.ts";

export const lag = defineAnalytic({
  name: "lag",
  summary: "The value so many rows before, 1 unless stated; nulls are no rows unless ignoreNull is false",
  params: [
    { name: "x", is: "any" },
    { name: "offset", is: "integer", isOptional: true },
    { name: "default", is: "any", isOptional: true },
    { name: "ignoreNull", is: "boolean", isOptional: true },
  ],
  examples: [
    { sql: "lag(a)", rows: [{ a: 1n }, { a: 2n }, { a: 3n }], gives: [null, 1n, 2n] },
    { sql: "lag(a, 2, 0)", rows: [{ a: 1n }, { a: 2n }, { a: 3n }], gives: [0n, 0n, 1n] },
    { sql: "lag(a)", rows: [{ a: 1n }, { a: null }, { a: 3n }], gives: [null, 1n, 1n] },
    { sql: "lag(a, 1, 0, false)", rows: [{ a: 1n }, { a: null }, { a: 3n }], gives: [0n, 1n, null] },
  ],
  start() {
    let before: Value[] = [];
    return {
      next([x, offset, byDefault, ignoreNull]) {
        const count = Number(offset ?? 1n);
        if (count < 1 || count > limits.lagRows) {
          throw new RowError(`Cannot call lag: offset must be between 1 and ${limits.lagRows}, and is ${count}`);
        }
        const found = before.length >= count ? before[before.length - count]! : (byDefault ?? null);
        if (x === null && ignoreNull !== false) return found;
        before.push(x!);
        effort.chars(before.length);
        if (before.length > count) before.shift();
        return found;
      },
      save: () => [...before],
      restore(saved) {
        before = [...(saved as readonly Value[])];
      },
    };
  },
});
