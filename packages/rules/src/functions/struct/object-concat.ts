import { effort } from "../../run/effort.ts";
import type { ObjectValue } from "../../value/value.ts";
import { bounded } from "../array/part-size.ts";
import { defineFunction } from "../define-function.ts";

export const objectConcat = defineFunction({
  name: "object_concat",
  group: "struct",
  summary:
    "One struct of the fields of all; a field that several have is that of the last. One that is null has no fields",
  params: [{ name: "structs", is: "struct", repeats: { least: 2 } }],
  takesNull: true,
  examples: [
    { sql: "object_concat(a, b)", of: { a: { x: 1n }, b: { y: 2n } }, gives: { x: 1n, y: 2n } },
    { sql: "object_concat(a, b)", of: { a: { x: 1n, y: 1n }, b: { x: 3n } }, gives: { x: 3n, y: 1n } },
    { sql: "object_concat(a, b)", of: { a: { x: 1n }, b: null }, gives: { x: 1n } },
    { sql: "object_concat(a, 1)", of: { a: { x: 1n } }, gives: { error: /structs must be struct, and is bigint 1/ } },
  ],
  run(structs) {
    const entries = structs.flatMap((one) => (one === null ? [] : Object.entries(one as ObjectValue)));
    effort.fields(2 * entries.length);
    return bounded("object_concat", Object.fromEntries(entries));
  },
});
