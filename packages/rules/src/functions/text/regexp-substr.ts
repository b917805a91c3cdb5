import { defineFunction } from "../define-function.ts";
import { textOf, textOrAny } from "./part-arguments.ts";
import { checkPattern, Effort, regexpOf } from "./part-regexp.ts";

export const regexpSubstr = defineFunction({
  name: "regexp_substr",
  group: "text",
  summary:
    "What the regular expression, in Go's syntax, matches first in the text. Where nothing does eKuiper gives an empty text, " +
    "strict mode null",
  params: [
    { name: "text", is: textOrAny },
    { name: "pattern", is: textOrAny },
  ],
  examples: [
    { sql: "regexp_substr('press-3 cell-12', '\\\\d+')", gives: "3" },
    { sql: "regexp_substr(text, 'c.*')", of: { text: "press-3 cell-12" }, gives: "cell-12" },
    { sql: "regexp_substr('press', '\\\\d+')", gives: "", mode: "compat" },
    { sql: "regexp_substr('press', '\\\\d+')", gives: null, mode: "strict" },
    { sql: "regexp_substr(text, 'a')", of: { text: null }, gives: null },
    { sql: "regexp_substr(n, '1.')", of: { n: 215n }, gives: "15", mode: "compat" },
    {
      sql: "regexp_substr(n, '1.')",
      of: { n: 215n },
      gives: { error: /text must be text, and is bigint 215/ },
      mode: "strict",
    },
  ],
  check: checkPattern,
  compiles: 1,
  run([text, pattern], { mode }) {
    const all = textOf(text!, { name: "regexp_substr", param: "text", mode });
    const regexp = regexpOf(textOf(pattern!, { name: "regexp_substr", param: "pattern", mode }));
    new Effort("regexp_substr", regexp).look(all.length);
    const found = regexp.re.matcher(all);
    return found.find() ? (found.group() ?? "") : mode === "compat" ? "" : null;
  },
});
