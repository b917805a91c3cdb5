import { effort } from "../../run/effort.ts";
import { defineFunction } from "../define-function.ts";

export const objectSize = defineFunction({
  name: "object_size",
  group: "struct",
  summary: "How many fields the struct has",
  params: [{ name: "struct", is: "struct" }],
  takesNull: true,
  examples: [
    { sql: "object_size(s)", of: { s: { a: 1n, b: null } }, gives: 2n },
    { sql: "object_size(s)", of: { s: {} }, gives: 0n },
    { sql: "object_size(s)", of: { s: null }, gives: 0n, mode: "compat" },
    { sql: "object_size(s)", of: { s: null }, gives: null, mode: "strict" },
    { sql: "object_size('a')", gives: { error: /struct must be struct, and is string "a"/ } },
  ],
  run([struct], { mode }) {
    if (struct === null) return mode === "compat" ? 0n : null;
    const names = Object.keys(struct as object);
    effort.parts(names.length);
    return BigInt(names.length);
  },
});
