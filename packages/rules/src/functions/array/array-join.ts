import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import { Instant, kindOf, shown, type Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { plainFloat } from "../text/part-go-text.ts";
import { checkTextLength } from "./part-size.ts";

export const arrayJoin = defineFunction({
  name: "array_join",
  group: "array",
  summary:
    "One text of all elements, with the delimiter between. Null elements are left out, or replaced by the third text",
  params: [
    { name: "array", is: "array" },
    { name: "delimiter", is: "text" },
    { name: "forNull", is: "text", isOptional: true },
  ],
  examples: [
    { sql: "array_join(a, ', ')", of: { a: ["a", null, "b"] }, gives: "a, b" },
    { sql: "array_join(a, ':', '-')", of: { a: ["a", null, "b"] }, gives: "a:-:b" },
    { sql: "array_join(a, ',')", of: { a: [1n, 2.5, true] }, gives: "1,2.5,true" },
    { sql: "array_join(a, ':', '')", of: { a: ["a", null, "b"] }, gives: "a:b", mode: "compat" },
    { sql: "array_join(a, ':', '')", of: { a: ["a", null, "b"] }, gives: "a::b", mode: "strict" },
    { sql: "array_join(a, ',')", of: { a: null }, gives: null },
    {
      sql: "array_join(a, ',')",
      of: { a: ["a", ["b"]] },
      gives: { error: /an element is array \["b"\], which is no text/ },
    },
    {
      sql: "array_join(a, d)",
      of: { a: new Array(1000).fill("x"), d: "-".repeat(2000) },
      gives: { error: /array_join: the result is longer than 1048576 characters/ },
    },
    { sql: "array_join(a, 1)", of: { a: ["a"] }, gives: { error: /delimiter must be text, and is bigint 1/ } },
  ],
  run([array, delimiter, forNull], { mode }) {
    const isReplaced = forNull !== undefined && (forNull !== "" || mode === "strict");
    const texts: string[] = [];
    effort.parts(5 * (array as readonly Value[]).length);
    for (const one of array as readonly Value[]) {
      if (one !== null && one !== undefined) texts.push(textOf(one));
      else if (isReplaced) texts.push(forNull as string);
    }
    const between = (delimiter as string).length * Math.max(0, texts.length - 1);
    checkTextLength(
      "array_join",
      texts.reduce((sum, one) => sum + one.length, between),
    );
    return texts.join(delimiter as string);
  },
});

function textOf(value: Value): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return plainFloat(value);
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value instanceof Instant) return value.toJSON();
  throw new RowError(`Cannot call array_join: an element is ${kindOf(value)} ${shown(value)}, which is no text`);
}
