import { textChange } from "./part-change.ts";
import { charactersOf } from "./part-characters.ts";

export const reverse = textChange({
  name: "reverse",
  summary: "The characters of the text from the last to the first",
  examples: [
    { sql: "reverse('abc')", gives: "cba" },
    { sql: "reverse(text)", of: { text: "1😀2" }, gives: "2😀1" },
    { sql: "reverse(text)", of: { text: null }, gives: null },
    { sql: "reverse(text)", of: { text: 215n }, gives: "512", mode: "compat" },
    {
      sql: "reverse(text)",
      of: { text: 215n },
      gives: { error: /text must be text, and is bigint 215/ },
      mode: "strict",
    },
  ],
  change: (text) => charactersOf(text).reverse().join(""),
});
