import { RowError } from "../../value/row-error.ts";
import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { checkPath, followPath, pathParams } from "./part-json-data.ts";
import { Missing, TooExpensive } from "./part-json-path-state.ts";

export const jsonPathExists = defineFunction({
  name: "json_path_exists",
  group: "json",
  summary:
    "Whether the path leads to anything. In compat mode null and an empty array are nothing, and so is a path or a text that cannot be read",
  params: pathParams,
  takesNull: true,
  examples: [
    { sql: "json_path_exists(d, '$.x[? @.age>30]')", of: { d: { x: [{ age: 22 }, { age: 33 }] } }, gives: true },
    { sql: "json_path_exists(d, '$.x[? @.age>40]')", of: { d: { x: [{ age: 22 }, { age: 33 }] } }, gives: false },
    { sql: "json_path_exists(d, '$.a.b')", of: { d: { a: { b: false } } }, gives: true },
    { sql: "json_path_exists(d, '$.a.b')", of: { d: { a: 1n } }, gives: false },
    { sql: "json_path_exists(d, '$.a')", of: { d: { a: null } }, gives: false, mode: "compat" },
    { sql: "json_path_exists(d, '$.a')", of: { d: { a: null } }, gives: true, mode: "strict" },
    { sql: "json_path_exists(d, '$.a')", of: { d: { a: [] } }, gives: false, mode: "compat" },
    { sql: "json_path_exists(d, '$.a')", of: { d: { a: [] } }, gives: true, mode: "strict" },
    { sql: "json_path_exists(d, '$.')", of: { d: { a: 1n } }, gives: false, mode: "compat" },
    { sql: "json_path_exists(d, '$.')", of: { d: { a: 1n } }, gives: { error: /a field is missing/ }, mode: "strict" },
    { sql: "json_path_exists(d, '$.a')", of: { d: null }, gives: false, mode: "compat" },
    { sql: "json_path_exists(d, '$.a')", of: { d: null }, gives: null, mode: "strict" },
    { sql: "json_path_exists(1, '$.a')", gives: false, mode: "compat" },
    { sql: "json_path_exists(1, '$.a')", gives: { error: /data must be .*, and is bigint 1/ }, mode: "strict" },
    {
      sql: "json_path_exists(d, '$[? $[*] == @]')",
      of: { d: new Array(500).fill(1n) },
      gives: { error: /touches more than/ },
    },
  ],
  // A path that is none leads nowhere, as eKuiper has it.
  compiles: 1,
  check: (literals, { mode }) => (mode === "strict" ? checkPath(literals) : undefined),
  run(args, { mode }) {
    if (args.includes(null)) return mode === "compat" ? false : null;
    if (mode === "compat") return existsOrFails(args);
    const found = followPath("json_path_exists", args, mode);
    return "many" in found ? found.many.length > 0 : !(found.one instanceof Missing);
  },
});

function existsOrFails(args: readonly Value[]): boolean {
  try {
    const found = followPath("json_path_exists", args, "compat");
    const result = "many" in found ? found.many : found.one;
    if (result === null || result instanceof Missing) return false;
    return !Array.isArray(result) || result.length > 0;
  } catch (error) {
    if (error instanceof RowError && !(error instanceof TooExpensive)) return false;
    throw error;
  }
}
