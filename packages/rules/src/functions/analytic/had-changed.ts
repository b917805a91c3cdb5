import { effort } from "../../run/effort.ts";
import { isSame } from "../../value/compare.ts";
import { isObject, type Value } from "../../value/value.ts";
import { defineAnalytic } from "../define-analytic.ts";

export const hadChanged = defineAnalytic({
  name: "had_changed",
  summary: "Whether any of the values is another than the row before's; true for the first row",
  params: [
    { name: "ignoreNull", is: "boolean" },
    { name: "x", is: "any", repeats: { least: 1 } },
  ],
  takesStar: true,
  examples: [
    {
      sql: "had_changed(true, a)",
      rows: [{ a: 1n }, { a: 1n }, { a: null }, { a: 2n }],
      gives: [true, false, false, true],
    },
    { sql: "had_changed(false, a)", rows: [{ a: 1n }, { a: null }, { a: null }], gives: [true, true, false] },
    {
      sql: "had_changed(true, a, b)",
      rows: [
        { a: 1n, b: 1n },
        { a: 1n, b: 2n },
        { a: 1n, b: 2n },
      ],
      gives: [true, true, false],
    },
    { sql: "had_changed(true, *)", rows: [{ a: 1n }, { a: 1n }, { a: 2n }], gives: [true, false, true] },
  ],
  start() {
    let before = new Map<string, Value>();
    return {
      next([ignoreNull, ...values]) {
        const named = values.flatMap((value, at): [string, Value][] =>
          isObject(value) ? Object.entries(value).map(([name, one]) => [`${at}.${name}`, one]) : [[String(at), value]],
        );
        effort.fields(2 * named.length);
        let isChanged = false;
        for (const [name, value] of named) {
          if (value === null && ignoreNull === true) continue;
          if (!before.has(name) || !isSame(before.get(name)!, value)) isChanged = true;
          before.set(name, value);
        }
        return isChanged;
      },
      save: () => [...before].map((entry): Value => entry),
      restore(saved) {
        before = new Map(saved as unknown as readonly [string, Value][]);
      },
    };
  },
});
