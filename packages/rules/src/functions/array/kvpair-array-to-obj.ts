import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import { isObject, type Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { structOf } from "../struct/part-struct.ts";

export const kvpairArrayToObj = defineFunction({
  name: "kvpair_array_to_obj",
  group: "array",
  summary: "A struct from structs that have a key and a value and nothing else; the inverse of obj_to_kvpair_array",
  params: [{ name: "pairs", is: "array" }],
  examples: [
    {
      sql: "kvpair_array_to_obj(a)",
      of: {
        a: [
          { key: "x", value: 1n },
          { key: "y", value: null },
        ],
      },
      gives: { x: 1n, y: null },
    },
    { sql: "kvpair_array_to_obj(a)", of: { a: [] }, gives: {} },
    { sql: "kvpair_array_to_obj(a)", of: { a: null }, gives: null },
    {
      sql: "kvpair_array_to_obj(a)",
      of: { a: [{ key: "x" }] },
      gives: { error: /element 0 must be \{"key": …, "value": …\}/ },
    },
    {
      sql: "kvpair_array_to_obj(a)",
      of: {
        a: [
          { key: "x", value: 1n },
          { key: "x", value: 2n },
        ],
      },
      gives: { x: 2n },
      mode: "compat",
    },
    {
      sql: "kvpair_array_to_obj(a)",
      of: {
        a: [
          { key: "x", value: 1n },
          { key: "x", value: 2n },
        ],
      },
      gives: { error: /"x" is there twice/ },
      mode: "strict",
    },
    { sql: "kvpair_array_to_obj('x')", gives: { error: /pairs must be array, and is string "x"/ } },
  ],
  run([pairs], { mode }) {
    effort.parts(20 * (pairs as readonly Value[]).length);
    const entries = (pairs as readonly Value[]).map((pair, at): [string, Value] => {
      const isPair = isObject(pair) && Object.keys(pair).length === 2 && Object.hasOwn(pair, "value");
      if (isPair && Object.hasOwn(pair, "key") && typeof pair.key === "string") return [pair.key, pair.value!];
      throw new RowError(
        `Cannot call kvpair_array_to_obj: element ${at} must be {"key": …, "value": …} with a text as key, and nothing else`,
      );
    });
    return structOf("kvpair_array_to_obj", entries, mode);
  },
});
