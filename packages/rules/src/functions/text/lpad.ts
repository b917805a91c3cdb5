import { padFunction } from "./part-pad.ts";

export const lpad = padFunction({
  name: "lpad",
  summary:
    "eKuiper: the text behind so many spaces. Strict mode: the text filled up on its left to so many characters, with spaces or " +
    "what is given; what is longer is cut",
  examples: [
    { sql: "lpad('ab', 4)", gives: "    ab", mode: "compat" },
    { sql: "lpad('ab', 4)", gives: "  ab", mode: "strict" },
    { sql: "lpad('7', 3, '0')", gives: "007", mode: "strict" },
    { sql: "lpad('7', 3, '0')", gives: { error: /eKuiper pads with spaces alone/ }, mode: "compat" },
    { sql: "lpad('press', 3)", gives: "pre", mode: "strict" },
    { sql: "lpad(n, 1)", of: { n: 7n }, gives: " 7", mode: "compat" },
    { sql: "lpad(n, 1)", of: { n: 7n }, gives: { error: /text must be text, and is bigint 7/ }, mode: "strict" },
    { sql: "lpad(text, 4)", of: { text: null }, gives: null },
    { sql: "lpad('ab', -1)", gives: { error: /must not be below 0/ } },
    { sql: "lpad('ab', 1000000000)", gives: { error: /longer than 65536 bytes/ } },
  ],
  join: (text, padding) => padding + text,
});
