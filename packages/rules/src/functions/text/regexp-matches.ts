import { checkPattern, Effort, regexpOf } from "./part-regexp.ts";
import { textTest } from "./part-test.ts";

export const regexpMatches = textTest({
  name: "regexp_matches",
  summary: "Whether the regular expression, in Go's syntax, matches anywhere in the text",
  of: "pattern",
  examples: [
    { sql: "regexp_matches('press-3', 's-\\\\d$')", gives: true },
    { sql: "regexp_matches('press-3', '^\\\\d')", gives: false },
    { sql: "regexp_matches(text, '(?i)PRESS')", of: { text: "press-3" }, gives: true },
    { sql: "regexp_matches(text, 'a')", of: { text: null }, gives: false, mode: "compat" },
    { sql: "regexp_matches(text, 'a')", of: { text: null }, gives: null, mode: "strict" },
    { sql: "regexp_matches(n, '^2')", of: { n: 215n }, gives: true, mode: "compat" },
    {
      sql: "regexp_matches(n, '^2')",
      of: { n: 215n },
      gives: { error: /text must be text, and is bigint 215/ },
      mode: "strict",
    },
    {
      sql: "regexp_matches('a', '(a')",
      gives: { error: /Cannot use "\(a" as a regular expression: missing closing \)/ },
    },
    { sql: "regexp_matches('a', '(?<=a)b')", gives: { error: /Cannot use "\(\?<=a\)b" as a regular expression/ } },
    { sql: "regexp_matches(text, '^(a+)+$')", of: { text: `${"a".repeat(5000)}b` }, gives: false },
    { sql: "regexp_matches('a', p)", of: { p: "a".repeat(1001) }, gives: { error: /longer than 1000 characters/ } },
    { sql: "regexp_matches('a', '(a{500}){2}(b{500}){2}c{500}')", gives: { error: /more than 2000 steps/ } },
    {
      sql: "regexp_matches(text, '(a|b|ab){300}c')",
      of: { text: "a".repeat(60_000) },
      gives: { error: /too much work for so long a text/ },
    },
  ],
  check: checkPattern,
  compiles: 1,
  test(text, pattern) {
    const regexp = regexpOf(pattern);
    new Effort("regexp_matches", regexp).look(text.length);
    return regexp.re.test(text);
  },
});
