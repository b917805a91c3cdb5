import type { Value } from "../../value/value.ts";
import { defineAggregate } from "../define-aggregate.ts";

export const lastValue = defineAggregate({
  name: "last_value",
  summary: "The value of the last row; with ignoreNull, of the last row that has one",
  params: [
    { name: "x", is: "any" },
    { name: "ignoreNull", is: "boolean" },
  ],
  takesNull: true,
  examples: [
    { sql: "last_value(a, true)", rows: [{ a: 3n }, { a: 2n }, { a: null }], gives: 2n },
    { sql: "last_value(a, false)", rows: [{ a: 3n }, { a: 2n }, { a: null }], gives: null },
    { sql: "last_value(a, true)", rows: [], gives: null },
  ],
  start() {
    let last: Value = null;
    return {
      add([x, ignoreNull]) {
        if (x !== null || ignoreNull !== true) last = x!;
      },
      result: () => last,
      save: () => last,
      restore(saved) {
        last = saved;
      },
    };
  },
});
