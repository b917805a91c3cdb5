import { textChange } from "./part-change.ts";
import { withoutSpaceAfter } from "./part-space.ts";

export const rtrim = textChange({
  name: "rtrim",
  summary: "The text without white space behind it",
  examples: [
    { sql: "rtrim(text)", of: { text: " \ta b\t " }, gives: " \ta b" },
    { sql: "rtrim(text)", of: { text: "\u00a0x\u3000" }, gives: "\u00a0x" },
    { sql: "rtrim('')", gives: "" },
    { sql: "rtrim(text)", of: { text: null }, gives: null },
    { sql: "rtrim(text)", of: { text: 7n }, gives: "7", mode: "compat" },
    { sql: "rtrim(text)", of: { text: 7n }, gives: { error: /text must be text, and is bigint 7/ }, mode: "strict" },
  ],
  change: (text) => withoutSpaceAfter(text),
});
