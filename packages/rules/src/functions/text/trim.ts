import { textChange } from "./part-change.ts";
import { withoutSpaceAfter, withoutSpaceBefore } from "./part-space.ts";

export const trim = textChange({
  name: "trim",
  summary: "The text without white space at both ends",
  examples: [
    { sql: "trim(text)", of: { text: " \ta b\t " }, gives: "a b" },
    { sql: "trim(text)", of: { text: "\u00a0x\u3000" }, gives: "x" },
    { sql: "trim('')", gives: "" },
    { sql: "trim(text)", of: { text: null }, gives: null },
    { sql: "trim(text)", of: { text: 7n }, gives: "7", mode: "compat" },
    { sql: "trim(text)", of: { text: 7n }, gives: { error: /text must be text, and is bigint 7/ }, mode: "strict" },
  ],
  change: (text) => withoutSpaceAfter(withoutSpaceBefore(text)),
});
