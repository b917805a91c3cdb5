import { RowError } from "../../value/row-error.ts";
import { kindOf, shown, type Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { structOf } from "./part-struct.ts";

export const objectConstruct = defineFunction({
  name: "object_construct",
  group: "struct",
  summary: "A struct from names and values in turn. Where the value is null there is no field",
  params: [{ name: "namesAndValues", is: "any", repeats: { least: 0 } }],
  takesNull: true,
  examples: [
    { sql: "object_construct('a', 1, 'b', x)", of: { x: [2.5] }, gives: { a: 1n, b: [2.5] } },
    { sql: "object_construct('a', 1, 'b', x)", of: { x: null }, gives: { a: 1n } },
    { sql: "object_construct(x, 1, 'b', 2)", of: { x: null }, gives: { b: 2n }, mode: "compat" },
    {
      sql: "object_construct(x, 1)",
      of: { x: null },
      gives: { error: /name 1 must be text, and is null/ },
      mode: "strict",
    },
    { sql: "object_construct('a', 1, 'a', 2)", gives: { a: 2n }, mode: "compat" },
    { sql: "object_construct('a', 1, 'a', 2)", gives: { error: /"a" is there twice/ }, mode: "strict" },
    { sql: "object_construct('a')", gives: { error: /1 argument is no names and values in turn/ } },
    { sql: "object_construct(true, 1)", gives: { error: /name 1 must be text, and is boolean true/ } },
  ],
  run(args, { mode }) {
    if (args.length % 2 !== 0) {
      const what = `${args.length} argument${args.length === 1 ? " is" : "s are"}`;
      throw new RowError(`Cannot call object_construct: ${what} no names and values in turn`);
    }
    const entries: [string, Value][] = [];
    for (let at = 0; at < args.length; at += 2) {
      const [name, value] = [args[at]!, args[at + 1]!];
      if (mode === "compat" && (name === null || value === null)) continue;
      if (typeof name !== "string") {
        const found = name === null ? "null" : `${kindOf(name)} ${shown(name)}`;
        throw new RowError(`Cannot call object_construct: name ${at / 2 + 1} must be text, and is ${found}`);
      }
      if (value !== null) entries.push([name, value]);
    }
    return structOf("object_construct", entries, mode);
  },
});
