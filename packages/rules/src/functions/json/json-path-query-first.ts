import { RowError } from "../../value/row-error.ts";
import { kindOf, type Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { checkPath, followPath, pathParams } from "./part-json-data.ts";
import { Missing } from "./part-json-path-state.ts";

export const jsonPathQueryFirst = defineFunction({
  name: "json_path_query_first",
  group: "json",
  summary:
    "The first that the path leads to, or null. In compat mode the first element of what json_path_query gives, and an error where that is no array or has none",
  params: pathParams,
  takesNull: true,
  examples: [
    { sql: "json_path_query_first(d, '$.x[? @ > 1]')", of: { d: { x: [1n, 2n, 3n] } }, gives: 2n },
    { sql: "json_path_query_first(d, '$.x')", of: { d: { x: [7n, 8n] } }, gives: 7n, mode: "compat" },
    { sql: "json_path_query_first(d, '$.x')", of: { d: { x: [7n, 8n] } }, gives: [7n, 8n], mode: "strict" },
    {
      sql: "json_path_query_first(d, '$.x')",
      of: { d: { x: 1n } },
      gives: { error: /is bigint, no array/ },
      mode: "compat",
    },
    { sql: "json_path_query_first(d, '$.x')", of: { d: { x: 1n } }, gives: 1n, mode: "strict" },
    {
      sql: "json_path_query_first(d, '$[? @ > 9]')",
      of: { d: [1n] },
      gives: { error: /is an array of none/ },
      mode: "compat",
    },
    { sql: "json_path_query_first(d, '$[? @ > 9]')", of: { d: [1n] }, gives: null, mode: "strict" },
    {
      sql: "json_path_query_first(d, '$.x')",
      of: { d: null },
      gives: { error: /data must be .*, and is null/ },
      mode: "compat",
    },
    { sql: "json_path_query_first(d, '$.x')", of: { d: null }, gives: null, mode: "strict" },
    { sql: "json_path_query_first(true, '$')", gives: { error: /data must be .*, and is boolean true/ } },
  ],
  compiles: 1,
  check: checkPath,
  run(args, { mode }) {
    if (args.includes(null) && mode === "strict") return null;
    if (args[1] === null) throw new RowError("Cannot call json_path_query_first: path must be text, and is null");
    const found = followPath("json_path_query_first", args, mode);
    if (mode === "compat") return firstOf("many" in found ? found.many : found.one);
    if ("many" in found) return found.many[0] ?? null;
    return found.one instanceof Missing ? null : found.one;
  },
});

function firstOf(result: Value | Missing): Value {
  if (result instanceof Missing) {
    throw new RowError(`Cannot call json_path_query_first: the path leads nowhere: ${result.why}`);
  }
  if (Array.isArray(result) && result.length > 0) return (result as readonly Value[])[0]!;
  const what = Array.isArray(result) ? "is an array of none" : `is ${kindOf(result)}, no array`;
  throw new RowError(`Cannot call json_path_query_first: what the path leads to ${what}`);
}
