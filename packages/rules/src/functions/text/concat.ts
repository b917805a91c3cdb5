import type { Value } from "../../value/value.ts";
import { checkArgument } from "../check-arguments.ts";
import type { Param } from "../define-function.ts";
import { defineFunction } from "../define-function.ts";
import { bounded, checkLength } from "./part-arguments.ts";
import { goText, plainFloat } from "./part-go-text.ts";

const strictly: Param = { name: "part", is: ["text", "number", "boolean"] };

export const concat = defineFunction({
  name: "concat",
  group: "text",
  summary:
    "Texts behind each other. In compat mode null is nothing and everything else is printed as Go prints it; in strict mode " +
    "null makes it null, and only texts, numbers and booleans are taken",
  params: [{ name: "part", is: ["text", "any"], repeats: { least: 1 } }],
  takesNull: true,
  examples: [
    { sql: "concat('press', '-', '3')", gives: "press-3" },
    { sql: "concat('t=', t, ' ok=', ok)", of: { t: 21.5, ok: true }, gives: "t=21.5 ok=true" },
    { sql: "concat('n=', n)", of: { n: 7n }, gives: "n=7" },
    { sql: "concat('a', x, 'b')", of: { x: null }, gives: "ab", mode: "compat" },
    { sql: "concat('a', x, 'b')", of: { x: null }, gives: null, mode: "strict" },
    { sql: "concat('a', x)", of: { x: [1n, "z"] }, gives: "a[1 z]", mode: "compat" },
    {
      sql: "concat('a', x)",
      of: { x: [1n, "z"] },
      gives: { error: /part must be text or number or boolean/ },
      mode: "strict",
    },
    { sql: "concat(x, x)", of: { x: "é".repeat(20_000) }, gives: { error: /longer than 65536 bytes/ } },
  ],
  run(args, { mode }) {
    if (mode === "strict" && args.includes(null)) return null;
    let all = "";
    for (const arg of args) {
      all += mode === "compat" ? (arg === null ? "" : goText(arg)) : partOf(arg);
      checkLength("concat", all.length);
    }
    return bounded("concat", all);
  },
});

function partOf(arg: Value): string {
  const value = checkArgument("concat", strictly, arg);
  return typeof value === "number" ? plainFloat(value) : String(value);
}
