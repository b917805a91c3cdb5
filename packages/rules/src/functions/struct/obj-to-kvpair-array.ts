import { effort } from "../../run/effort.ts";
import type { ObjectValue } from "../../value/value.ts";
import { bounded } from "../array/part-size.ts";
import { defineFunction } from "../define-function.ts";

export const objToKvpairArray = defineFunction({
  name: "obj_to_kvpair_array",
  group: "struct",
  summary: "For each field a struct of its name as key and its value",
  params: [{ name: "struct", is: "struct" }],
  examples: [
    {
      sql: "obj_to_kvpair_array(s)",
      of: { s: { a: 1n, b: null } },
      gives: [
        { key: "a", value: 1n },
        { key: "b", value: null },
      ],
    },
    { sql: "obj_to_kvpair_array(s)", of: { s: {} }, gives: [] },
    { sql: "obj_to_kvpair_array(s)", of: { s: null }, gives: null },
    { sql: "obj_to_kvpair_array('a')", gives: { error: /struct must be struct, and is string "a"/ } },
  ],
  run([struct]) {
    effort.fields(2 * Object.keys(struct as ObjectValue).length);
    const pairs = Object.entries(struct as ObjectValue).map(([key, value]) => ({ key, value }));
    return bounded("obj_to_kvpair_array", pairs);
  },
});
