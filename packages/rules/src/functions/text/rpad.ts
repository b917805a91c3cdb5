import { padFunction } from "./part-pad.ts";

export const rpad = padFunction({
  name: "rpad",
  summary:
    "eKuiper: the text before so many spaces. Strict mode: the text filled up on its right to so many characters, with spaces or " +
    "what is given; what is longer is cut",
  examples: [
    { sql: "rpad('ab', 4)", gives: "ab    ", mode: "compat" },
    { sql: "rpad('ab', 4)", gives: "ab  ", mode: "strict" },
    { sql: "rpad('ab', 7, 'xyz')", gives: "abxyzxy", mode: "strict" },
    { sql: "rpad('press', 3)", gives: "pre", mode: "strict" },
    { sql: "rpad('ab', 2.5)", gives: { error: /length must be integer, and is float 2.5/ } },
    { sql: "rpad(text, 4)", of: { text: null }, gives: null },
    { sql: "rpad('ab', 5, '')", gives: { error: /nothing to pad with/ }, mode: "strict" },
    { sql: "rpad('ab', 65536)", gives: { error: /longer than 65536 bytes/ }, mode: "compat" },
  ],
  join: (text, padding) => text + padding,
});
