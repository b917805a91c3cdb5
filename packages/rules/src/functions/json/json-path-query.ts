import { RowError } from "../../value/row-error.ts";
import { bounded } from "../array/part-size.ts";
import { defineFunction } from "../define-function.ts";
import { checkPath, followPath, pathParams } from "./part-json-data.ts";
import { Missing } from "./part-json-path-state.ts";

const group = [
  { last: "Shavor", age: 22 },
  { last: "Miller", age: 33 },
];

export const jsonPathQuery = defineFunction({
  name: "json_path_query",
  group: "json",
  summary:
    "All that the path leads to, as an array. In compat mode the value itself where the path can lead to one only, and an error where that is missing",
  params: pathParams,
  takesNull: true,
  examples: [
    { sql: "json_path_query(d, '$.x[? @.age>30]')", of: { d: { x: group } }, gives: [{ last: "Miller", age: 33 }] },
    { sql: "json_path_query(d, '$.x[? (@.age>30)].last')", of: { d: { x: group } }, gives: ["Miller"] },
    { sql: "json_path_query(d, '$[*].last')", of: { d: group }, gives: ["Shavor", "Miller"] },
    { sql: "json_path_query(d, '$..last')", of: { d: { x: group } }, gives: ["Shavor", "Miller"] },
    { sql: "json_path_query(d, '$[-2:]')", of: { d: [1n, 2n, 3n] }, gives: [2n, 3n] },
    { sql: "json_path_query(d, '$[::-2]')", of: { d: [1n, 2n, 3n] }, gives: [3n, 1n] },
    { sql: "json_path_query(d, '$[0, 2, 5]')", of: { d: [1n, 2n, 3n] }, gives: [1n, 3n] },
    { sql: "json_path_query(d, '$[\"a.b\"][0]')", of: { d: { "a.b": [7.5] } }, gives: 7.5, mode: "compat" },
    { sql: "json_path_query(d, '$[\"a.b\"][0]')", of: { d: { "a.b": [7.5] } }, gives: [7.5], mode: "strict" },
    { sql: "json_path_query(t, '$.a')", of: { t: '{"a":1.5}' }, gives: 1.5, mode: "compat" },
    { sql: "json_path_query(t, '$.a')", of: { t: '{"a":7}' }, gives: [7n], mode: "strict" },
    {
      sql: "json_path_query(d, '$.b')",
      of: { d: { a: 1n } },
      gives: { error: /there is no field "b"/ },
      mode: "compat",
    },
    { sql: "json_path_query(d, '$.b')", of: { d: { a: 1n } }, gives: [], mode: "strict" },
    {
      sql: "json_path_query(d, '$[-1]')",
      of: { d: [1n] },
      gives: { error: /there is no element -1 of 1/ },
      mode: "compat",
    },
    { sql: "json_path_query(d, '$[-1]')", of: { d: [1n, 2n] }, gives: [2n], mode: "strict" },
    { sql: "json_path_query(d, '$[? @.a == 5]')", of: { d: [{ a: "5" }] }, gives: [{ a: "5" }], mode: "compat" },
    { sql: "json_path_query(d, '$[? @.a == 5]')", of: { d: [{ a: "5" }] }, gives: [], mode: "strict" },
    { sql: "json_path_query(d, '$[k]')", of: { d: { k: "a", a: 1n } }, gives: 1n, mode: "compat" },
    {
      sql: "json_path_query(d, '$[k]')",
      of: { d: { k: 1n } },
      gives: { error: /write "k" in quotes/ },
      mode: "strict",
    },
    {
      sql: "json_path_query(d, '$.a')",
      of: { d: null },
      gives: { error: /data must be .*, and is null/ },
      mode: "compat",
    },
    { sql: "json_path_query(d, '$.a')", of: { d: null }, gives: null, mode: "strict" },
    { sql: "json_path_query('{', '$.a')", gives: { error: /the text is no JSON/ } },
    { sql: "json_path_query(d, '$.')", of: { d: {} }, gives: { error: /a field is missing.*, at character 3/ } },
    {
      sql: "json_path_query(1, '$.a')",
      gives: { error: /data must be array, struct or a text that is JSON, and is bigint 1/ },
    },
    {
      sql: "json_path_query(d, '$[? $[*] == @]')",
      of: { d: new Array(500).fill(1n) },
      gives: { error: /touches more than/ },
    },
  ],
  compiles: 1,
  check: checkPath,
  run(args, { mode }) {
    const hasNull = args.includes(null);
    if (hasNull && mode === "strict") return null;
    if (args[1] === null) throw new RowError("Cannot call json_path_query: path must be text, and is null");
    const found = followPath("json_path_query", args, mode);
    if ("many" in found) return bounded("json_path_query", found.many);
    const { one } = found;
    if (!(one instanceof Missing)) return mode === "strict" ? [one] : one;
    if (mode === "strict") return [];
    throw new RowError(`Cannot call json_path_query: the path ${args[1]} leads nowhere: ${one.why}`);
  },
});
