import { isSame } from "../../value/compare.ts";
import type { Value } from "../../value/value.ts";
import { defineAnalytic } from "../define-analytic.ts";

export const changedCol = defineAnalytic({
  name: "changed_col",
  summary: "The value where it is another than the row before's, else null",
  params: [
    { name: "ignoreNull", is: "boolean" },
    { name: "x", is: "any" },
  ],
  examples: [
    {
      sql: "changed_col(true, a)",
      rows: [{ a: 1n }, { a: 1n }, { a: null }, { a: 1n }, { a: 2n }],
      gives: [1n, null, null, null, 2n],
    },
    { sql: "changed_col(false, a)", rows: [{ a: 1n }, { a: null }, { a: 1n }], gives: [1n, null, 1n] },
  ],
  start() {
    let before: { readonly value: Value } | null = null;
    return {
      next([ignoreNull, x]) {
        if (x === null && ignoreNull === true) return null;
        const isChanged = before === null || !isSame(before.value, x!);
        before = { value: x! };
        return isChanged ? x! : null;
      },
      save: () => (before === null ? [] : [before.value]),
      restore(saved) {
        const [value] = saved as readonly Value[];
        before = value === undefined ? null : { value };
      },
    };
  },
});
