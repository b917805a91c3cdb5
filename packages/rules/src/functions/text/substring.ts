import { RowError } from "../../value/row-error.ts";
import { defineFunction } from "../define-function.ts";
import { textOf, textOfUtf8, textOrAny, utf8Of } from "./part-arguments.ts";
import { countBytes, sliceCharacters } from "./part-characters.ts";

export const substring = defineFunction({
  name: "substring",
  group: "text",
  summary:
    "The text from the index `start` up to the index `end`, which is not included, or to its end; both count from 0. eKuiper counts " +
    "bytes of UTF-8, strict mode characters",
  params: [
    { name: "text", is: textOrAny },
    { name: "start", is: "integer" },
    { name: "end", is: "integer", isOptional: true },
  ],
  examples: [
    { sql: "substring('press-3', 2)", gives: "ess-3" },
    { sql: "substring('press-3', 0, 5)", gives: "press" },
    { sql: "substring(text, i, 100)", of: { text: "press-3", i: 6.0 }, gives: "3" },
    { sql: "substring('press-3', 9, 12)", gives: "" },
    { sql: "substring('20 °C', 4)", gives: "\ufffdC", mode: "compat" },
    { sql: "substring('20 °C', 4)", gives: "C", mode: "strict" },
    { sql: "substring('press-3', 4, 2)", gives: { error: /end is 2, before start, which is 4/ } },
    { sql: "substring('press-3', -1)", gives: { error: /start is -1, and must not be below 0/ } },
    { sql: "substring(text, 2)", of: { text: null }, gives: null },
    { sql: "substring(n, 1)", of: { n: 215n }, gives: "15", mode: "compat" },
    {
      sql: "substring(n, 1)",
      of: { n: 215n },
      gives: { error: /text must be text, and is bigint 215/ },
      mode: "strict",
    },
  ],
  run([text, start, end], { mode }) {
    const all = textOf(text!, { name: "substring", param: "text", mode });
    const from = Number(start);
    const to = end === undefined ? Number.POSITIVE_INFINITY : Number(end);
    if (from < 0) throw new RowError(`Cannot call substring: start is ${from}, and must not be below 0`);
    if (to < from) throw new RowError(`Cannot call substring: end is ${to}, before start, which is ${from}`);
    if (mode === "strict") return sliceCharacters(all, from, to);
    const isAscii = countBytes(all) === all.length;
    return isAscii ? all.slice(from, to) : textOfUtf8(utf8Of(all).subarray(from, to));
  },
});
