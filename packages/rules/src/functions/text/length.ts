import { effort } from "../../run/effort.ts";
import { isObject, type Value } from "../../value/value.ts";
import { checkArgument } from "../check-arguments.ts";
import { defineFunction } from "../define-function.ts";
import { countCharacters } from "./part-characters.ts";
import { goText } from "./part-go-text.ts";

export const length = defineFunction({
  name: "length",
  group: "text",
  summary:
    "How many characters a text, elements an array or fields a struct has, and in strict mode bytes. Of null eKuiper says 0, and of " +
    "anything else how long it is as Go prints it",
  params: [{ name: "of", is: ["text", "array", "struct", "bytes", "any"] }],
  takesNull: true,
  examples: [
    { sql: "length('20 °C')", gives: 5n },
    { sql: "length(a)", of: { a: [1n, 2n, 3n] }, gives: 3n },
    { sql: "length(s)", of: { s: { x: 1n, y: 2n } }, gives: 2n },
    { sql: "length(b)", of: { b: Uint8Array.of(104, 105) }, gives: 9n, mode: "compat" },
    { sql: "length(b)", of: { b: Uint8Array.of(104, 105) }, gives: 2n, mode: "strict" },
    { sql: "length(12.5)", gives: 4n, mode: "compat" },
    {
      sql: "length(12.5)",
      gives: { error: /of must be text or array or struct or bytes, and is float 12.5/ },
      mode: "strict",
    },
    { sql: "length(x)", of: { x: null }, gives: 0n, mode: "compat" },
    { sql: "length(x)", of: { x: null }, gives: null, mode: "strict" },
  ],
  run([of], { mode }) {
    if (of === null) return mode === "compat" ? 0n : null;
    if (mode === "strict") checkArgument("length", { name: "of", is: ["text", "array", "struct", "bytes"] }, of!);
    return BigInt(size(of!, mode === "strict"));
  },
});

function size(of: Value, countsBytes: boolean): number {
  if (typeof of === "string") return countCharacters(of);
  if (Array.isArray(of)) return of.length;
  if (isObject(of)) {
    const names = Object.keys(of);
    effort.parts(names.length);
    return names.length;
  }
  return countsBytes && of instanceof Uint8Array ? of.length : countCharacters(goText(of));
}
