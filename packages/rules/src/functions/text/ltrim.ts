import { textChange } from "./part-change.ts";
import { withoutSpaceBefore } from "./part-space.ts";

export const ltrim = textChange({
  name: "ltrim",
  summary: "The text without white space before it",
  examples: [
    { sql: "ltrim(text)", of: { text: " \ta b\t " }, gives: "a b\t " },
    { sql: "ltrim(text)", of: { text: "\u00a0x\u3000" }, gives: "x\u3000" },
    { sql: "ltrim('')", gives: "" },
    { sql: "ltrim(text)", of: { text: null }, gives: null },
    { sql: "ltrim(text)", of: { text: 7n }, gives: "7", mode: "compat" },
    { sql: "ltrim(text)", of: { text: 7n }, gives: { error: /text must be text, and is bigint 7/ }, mode: "strict" },
  ],
  change: (text) => withoutSpaceBefore(text),
});
