import { textTest } from "./part-test.ts";

export const startswith = textTest({
  name: "startswith",
  summary: "Whether the text begins with the other",
  of: "start",
  examples: [
    { sql: "startswith('press-3', 'press')", gives: true },
    { sql: "startswith(text, '3')", of: { text: "press-3" }, gives: false },
    { sql: "startswith(text, '2')", of: { text: 215n }, gives: true, mode: "compat" },
    {
      sql: "startswith(text, '2')",
      of: { text: 215n },
      gives: { error: /text must be text, and is bigint 215/ },
      mode: "strict",
    },
    { sql: "startswith(text, 'a')", of: { text: null }, gives: false, mode: "compat" },
    { sql: "startswith(text, 'a')", of: { text: null }, gives: null, mode: "strict" },
  ],
  test: (text, start) => text.startsWith(start),
});
