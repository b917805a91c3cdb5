import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import { kindOf, type ObjectValue, shown, type Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { goText } from "../text/part-go-text.ts";

export const erase = defineFunction({
  name: "erase",
  group: "struct",
  summary: "The struct without the field of that name, or without those that the array names",
  params: [
    { name: "struct", is: "struct" },
    { name: "names", is: ["text", "array"] },
  ],
  examples: [
    { sql: "erase(s, 'b')", of: { s: { a: null, b: 2n } }, gives: { a: null } },
    { sql: "erase(s, k)", of: { s: { a: 1n, b: 2n, c: 3n }, k: ["a", "c", "x"] }, gives: { b: 2n } },
    { sql: "erase(s, k)", of: { s: { "1": 1n, b: 2n }, k: [1n] }, gives: { b: 2n }, mode: "compat" },
    {
      sql: "erase(s, k)",
      of: { s: { a: 1n }, k: [1n] },
      gives: { error: /a name must be text, and is bigint 1/ },
      mode: "strict",
    },
    { sql: "erase(s, 'a')", of: { s: null }, gives: null },
    { sql: "erase(s, 1)", of: { s: { a: 1n } }, gives: { error: /names must be text or array, and is bigint 1/ } },
  ],
  run([struct, names], { mode }) {
    const all = typeof names === "string" ? [names] : (names as readonly Value[]);
    effort.fields(all.length + 2 * Object.keys(struct as ObjectValue).length);
    const erased = new Set(
      all.map((one) => {
        if (typeof one === "string") return one;
        if (mode === "compat") return goText(one);
        throw new RowError(`Cannot call erase: a name must be text, and is ${kindOf(one)} ${shown(one)}`);
      }),
    );
    return Object.fromEntries(Object.entries(struct as ObjectValue).filter(([name]) => !erased.has(name)));
  },
});
