import { RowError } from "../../value/row-error.ts";
import { kindOf, shown, type Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { structOf } from "./part-struct.ts";

export const object = defineFunction({
  name: "object",
  group: "struct",
  summary: "A struct from an array of names and one of values. In compat mode null when they are empty",
  params: [
    { name: "names", is: "array" },
    { name: "values", is: "array" },
  ],
  examples: [
    { sql: "object(k, v)", of: { k: ["a", "b"], v: [1n, null] }, gives: { a: 1n, b: null } },
    { sql: "object(k, v)", of: { k: [], v: [] }, gives: null, mode: "compat" },
    { sql: "object(k, v)", of: { k: [], v: [] }, gives: {}, mode: "strict" },
    { sql: "object(k, v)", of: { k: ["a", "a"], v: [1n, 2n] }, gives: { a: 2n }, mode: "compat" },
    { sql: "object(k, v)", of: { k: ["a", "a"], v: [1n, 2n] }, gives: { error: /"a" is there twice/ }, mode: "strict" },
    { sql: "object(k, v)", of: { k: null, v: [1n] }, gives: null },
    { sql: "object(k, v)", of: { k: ["a"], v: [1n, 2n] }, gives: { error: /1 names and 2 values/ } },
    { sql: "object(k, v)", of: { k: [1n], v: [2n] }, gives: { error: /a name must be text, and is bigint 1/ } },
    { sql: "object('a', v)", of: { v: [2n] }, gives: { error: /names must be array, and is string "a"/ } },
  ],
  run([names, values], { mode }) {
    const [left, right] = [names as readonly Value[], values as readonly Value[]];
    if (left.length !== right.length) {
      throw new RowError(`Cannot call object: there are ${left.length} names and ${right.length} values`);
    }
    if (left.length === 0 && mode === "compat") return null;
    const entries = left.map((name, at): [string, Value] => {
      if (typeof name === "string") return [name, right[at]!];
      throw new RowError(`Cannot call object: a name must be text, and is ${kindOf(name)} ${shown(name)}`);
    });
    return structOf("object", entries, mode);
  },
});
