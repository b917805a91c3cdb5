import { letterByLetter, textChange } from "./part-change.ts";

export const lower = textChange({
  name: "lower",
  summary: "The text in small letters; eKuiper leaves those as they are that become two",
  examples: [
    { sql: "lower('Press-3 ÄÖ')", gives: "press-3 äö" },
    { sql: "lower(text)", of: { text: "ΣΑΣ" }, gives: "σασ", mode: "compat" },
    { sql: "lower(text)", of: { text: "ΣΑΣ" }, gives: "σας", mode: "strict" },
    { sql: "lower(text)", of: { text: null }, gives: null },
    { sql: "lower(text)", of: { text: true }, gives: "true", mode: "compat" },
    {
      sql: "lower(text)",
      of: { text: true },
      gives: { error: /text must be text, and is boolean true/ },
      mode: "strict",
    },
  ],
  change: (text, mode) =>
    mode === "strict" ? text.toLowerCase() : letterByLetter(text, (letter) => letter.toLowerCase()),
});
