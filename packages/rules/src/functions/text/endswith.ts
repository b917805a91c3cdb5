import { textTest } from "./part-test.ts";

export const endswith = textTest({
  name: "endswith",
  summary: "Whether the text ends with the other",
  of: "end",
  examples: [
    { sql: "endswith('press-3', '-3')", gives: true },
    { sql: "endswith(text, 'press')", of: { text: "press-3" }, gives: false },
    { sql: "endswith(text, '.5')", of: { text: 21.5 }, gives: true, mode: "compat" },
    {
      sql: "endswith(text, '.5')",
      of: { text: 21.5 },
      gives: { error: /text must be text, and is float 21.5/ },
      mode: "strict",
    },
    { sql: "endswith('a', end_)", of: { end_: null }, gives: false, mode: "compat" },
    { sql: "endswith('a', end_)", of: { end_: null }, gives: null, mode: "strict" },
  ],
  test: (text, end) => text.endsWith(end),
});
