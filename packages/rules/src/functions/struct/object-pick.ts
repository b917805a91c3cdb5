import type { Mode } from "../../parse/ast.ts";
import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import { isObject, kindOf, type ObjectValue, shown, type Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";

export const objectPick = defineFunction({
  name: "object_pick",
  group: "struct",
  summary:
    "The struct with these fields alone, named one by one or in an array; `a.b` keeps field b of struct a. In strict mode a field whose whole name is `a.b` comes before that",
  params: [
    { name: "struct", is: "struct" },
    { name: "names", is: "any", repeats: { least: 1 } },
  ],
  takesNull: true,
  examples: [
    { sql: "object_pick(s, 'a', 'c')", of: { s: { a: 1n, b: 2n, c: null } }, gives: { a: 1n, c: null } },
    { sql: "object_pick(s, k)", of: { s: { a: 1n, b: 2n }, k: ["b", "x"] }, gives: { b: 2n } },
    { sql: "object_pick(s, 'a.b')", of: { s: { a: { b: 1n, c: 2n } } }, gives: { a: { b: 1n } } },
    { sql: "object_pick(s, 'a.b', 'a.c')", of: { s: { a: { b: 1n, c: 2n, d: 3n } } }, gives: { a: { b: 1n, c: 2n } } },
    { sql: "object_pick(s, 'a.b')", of: { s: { "a.b": 1n } }, gives: {}, mode: "compat" },
    { sql: "object_pick(s, 'a.b')", of: { s: { "a.b": 1n } }, gives: { "a.b": 1n }, mode: "strict" },
    { sql: "object_pick(s, 'a')", of: { s: null }, gives: null },
    { sql: "object_pick(s, 1)", of: { s: { a: 1n } }, gives: {}, mode: "compat" },
    {
      sql: "object_pick(s, 1)",
      of: { s: { a: 1n } },
      gives: { error: /a name must be text, and is bigint 1/ },
      mode: "strict",
    },
    { sql: "object_pick('a', 'b')", gives: { error: /struct must be struct, and is string "a"/ } },
  ],
  run([struct, ...rest], { mode }) {
    if (struct === null) return null;
    const names = Array.isArray(rest[0]) ? (rest[0] as readonly Value[]) : rest;
    const texts = names.filter((one): one is string => {
      if (mode === "compat" || typeof one === "string") return typeof one === "string";
      throw new RowError(`Cannot call object_pick: a name must be text, and is ${kindOf(one)} ${shown(one)}`);
    });
    return pick(struct as ObjectValue, texts, mode);
  },
});

function pick(of: ObjectValue, names: readonly string[], mode: Mode): ObjectValue {
  const deeper = new Map<string, string[]>();
  const picked = new Map<string, Value>();
  effort.fields(3 * names.length);
  for (const name of names) {
    effort.chars(name.length);
    const dot = name.indexOf(".");
    if (Object.hasOwn(of, name) && (dot < 0 || mode === "strict")) picked.set(name, of[name]!);
    else if (dot >= 0) {
      const first = name.slice(0, dot);
      if (!deeper.has(first)) deeper.set(first, []);
      deeper.get(first)!.push(name.slice(dot + 1));
    }
  }
  for (const [first, inner] of deeper) {
    const value = Object.hasOwn(of, first) ? of[first]! : null;
    if (picked.has(first) || !isObject(value)) continue;
    const kept = pick(value, inner, mode);
    if (Object.keys(kept).length > 0) picked.set(first, kept);
  }
  return Object.fromEntries(picked);
}
