import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import { defineFunction } from "../define-function.ts";
import { textOf, textOrAny } from "./part-arguments.ts";
import { charactersOf } from "./part-characters.ts";

export const splitValue = defineFunction({
  name: "split_value",
  group: "text",
  summary: "The text split at each separator, and of the parts the one at the index: from 0, below 0 from the end",
  params: [
    { name: "text", is: textOrAny },
    { name: "separator", is: textOrAny },
    { name: "index", is: "integer" },
  ],
  examples: [
    { sql: "split_value('/plant/press-3/t', '/', 2)", gives: "press-3" },
    { sql: "split_value('/plant/press-3/t', '/', 0)", gives: "" },
    { sql: "split_value(topic, '/', i)", of: { topic: "a/b/c", i: -1n }, gives: "c" },
    { sql: "split_value('abc', '', 1)", gives: "b" },
    { sql: "split_value('a/b/c', '/', 3)", gives: { error: /index is 3, and there are 3 parts/ } },
    {
      sql: "split_value(topic, '/', i)",
      of: { topic: "a/b/c", i: -4.0 },
      gives: { error: /index is -4, and there are 3 parts/ },
    },
    { sql: "split_value(topic, '/', 0)", of: { topic: null }, gives: null },
    { sql: "split_value(n, '.', 1)", of: { n: 21.5 }, gives: "5", mode: "compat" },
    {
      sql: "split_value(n, '.', 1)",
      of: { n: 21.5 },
      gives: { error: /text must be text, and is float 21.5/ },
      mode: "strict",
    },
  ],
  run([text, separator, index], { mode }) {
    const all = textOf(text!, { name: "split_value", param: "text", mode });
    const by = textOf(separator!, { name: "split_value", param: "separator", mode });
    effort.eachChar(all.length);
    const parts = by === "" ? charactersOf(all) : all.split(by);
    const part = parts.at(Number(index));
    if (part !== undefined) return part;
    throw new RowError(`Cannot call split_value: index is ${index}, and there are ${parts.length} parts`);
  },
});
