import type { Value } from "../../value/value.ts";
import { defineAnalytic } from "../define-analytic.ts";

export const latest = defineAnalytic({
  name: "latest",
  summary: "The value, or where it is null the last that was not",
  params: [
    { name: "x", is: "any" },
    { name: "default", is: "any", isOptional: true },
  ],
  examples: [
    { sql: "latest(a)", rows: [{ a: null }, { a: 1n }, { a: null }], gives: [null, 1n, 1n] },
    { sql: "latest(a, 0)", rows: [{ a: null }, { a: 1n }], gives: [0n, 1n] },
  ],
  start() {
    let last: Value = null;
    return {
      next([x, byDefault]) {
        if (x !== null) last = x!;
        return last ?? byDefault ?? null;
      },
      save: () => last,
      restore(saved) {
        last = saved;
      },
    };
  },
});
