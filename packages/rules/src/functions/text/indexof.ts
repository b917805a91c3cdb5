import { effort } from "../../run/effort.ts";
import { defineFunction } from "../define-function.ts";
import { textOf, textOrAny } from "./part-arguments.ts";
import { countBytes, countCharacters } from "./part-characters.ts";

export const indexof = defineFunction({
  name: "indexof",
  group: "text",
  summary:
    "Where the other text begins in the text, from 0; -1 where it is not. eKuiper counts bytes of UTF-8, strict mode characters",
  params: [
    { name: "text", is: textOrAny },
    { name: "other", is: textOrAny },
  ],
  takesNull: true,
  examples: [
    { sql: "indexof('press-3', '-')", gives: 5n },
    { sql: "indexof('press-3', 'x')", gives: -1n },
    { sql: "indexof('20 °C', 'C')", gives: 5n, mode: "compat" },
    { sql: "indexof('20 °C', 'C')", gives: 4n, mode: "strict" },
    { sql: "indexof(text, '-')", of: { text: null }, gives: -1n, mode: "compat" },
    { sql: "indexof(text, '-')", of: { text: null }, gives: null, mode: "strict" },
    { sql: "indexof(text, '5')", of: { text: 21.5 }, gives: 3n, mode: "compat" },
    {
      sql: "indexof(text, '5')",
      of: { text: 21.5 },
      gives: { error: /text must be text, and is float 21.5/ },
      mode: "strict",
    },
  ],
  run([text, other], { mode }) {
    if (text === null || other === null) return mode === "compat" ? -1n : null;
    const all = textOf(text!, { name: "indexof", param: "text", mode });
    effort.chars(all.length << 2);
    const at = all.indexOf(textOf(other!, { name: "indexof", param: "other", mode }));
    if (at < 0) return -1n;
    const before = all.slice(0, at);
    return BigInt(mode === "compat" ? countBytes(before) : countCharacters(before));
  },
});
