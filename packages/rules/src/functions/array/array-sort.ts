import { effort } from "../../run/effort.ts";
import { order } from "../../value/compare.ts";
import type { Value } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { goText } from "../text/part-go-text.ts";
import { isBlank, orderable } from "./part-order.ts";

export const arraySort = defineFunction({
  name: "array_sort",
  group: "array",
  summary:
    "The elements from the least to the greatest, null ones last. In compat mode by what they print as, so 10 stands before 9",
  params: [{ name: "array", is: "array" }],
  examples: [
    { sql: "array_sort(a)", of: { a: ["b", "c", "a"] }, gives: ["a", "b", "c"] },
    { sql: "array_sort(a)", of: { a: [9n, 10n, 1.5] }, gives: [1.5, 10n, 9n], mode: "compat" },
    { sql: "array_sort(a)", of: { a: [9n, 10n, 1.5] }, gives: [1.5, 9n, 10n], mode: "strict" },
    { sql: "array_sort(a)", of: { a: [3n, 2n, "b", "a"] }, gives: [2n, 3n, "a", "b"], mode: "compat" },
    { sql: "array_sort(a)", of: { a: [3n, "b"] }, gives: { error: /are numbers and texts/ }, mode: "strict" },
    { sql: "array_sort(a)", of: { a: [1n, null, 0n] }, gives: [0n, 1n, null], mode: "strict" },
    { sql: "array_sort(a)", of: { a: null }, gives: null },
    { sql: "array_sort('ab')", gives: { error: /array must be array, and is string "ab"/ } },
  ],
  run([array], { mode }) {
    const all = array as readonly Value[];
    effort.sort(all.length);
    if (mode === "strict") return [...orderable("array_sort", all).sort(order), ...all.filter(isBlank)];
    const printed = all.map((value) => ({ value, text: goText(value) }));
    const chars = printed.reduce((sum, one) => sum + one.text.length, 0);
    effort.chars(chars * (32 - Math.clz32(all.length)));
    printed.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
    return printed.map(({ value }) => value);
  },
});
