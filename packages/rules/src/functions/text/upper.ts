import { letterByLetter, textChange } from "./part-change.ts";

export const upper = textChange({
  name: "upper",
  summary: "The text in capitals; eKuiper leaves letters as they are that become two",
  examples: [
    { sql: "upper('press-3 äö')", gives: "PRESS-3 ÄÖ" },
    { sql: "upper('straße')", gives: "STRAßE", mode: "compat" },
    { sql: "upper('straße')", gives: "STRASSE", mode: "strict" },
    { sql: "upper(text)", of: { text: null }, gives: null },
    { sql: "upper(text)", of: { text: 7n }, gives: "7", mode: "compat" },
    { sql: "upper(text)", of: { text: 7n }, gives: { error: /text must be text, and is bigint 7/ }, mode: "strict" },
  ],
  change: (text, mode) =>
    mode === "strict" ? text.toUpperCase() : letterByLetter(text, (letter) => letter.toUpperCase()),
});
