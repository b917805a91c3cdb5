import type { Matcher } from "re2js";
import { effort } from "../../run/effort.ts";
import { defineFunction } from "../define-function.ts";
import { bounded, checkLength, textOf, textOrAny } from "./part-arguments.ts";
import { checkPattern, Effort, type Regexp, regexpOf } from "./part-regexp.ts";

export const regexpReplace = defineFunction({
  name: "regexp_replace",
  group: "text",
  summary:
    "The text with everything replaced that the regular expression, in Go's syntax, matches. In the replacement $1 or $name is " +
    "what a group matched, also in braces, and $$ a dollar",
  params: [
    { name: "text", is: textOrAny },
    { name: "pattern", is: textOrAny },
    { name: "replacement", is: textOrAny },
  ],
  examples: [
    { sql: "regexp_replace('press-3', '\\\\d', '#')", gives: "press-#" },
    { sql: "regexp_replace('3-12', '(\\\\d+)-(\\\\d+)', '$2/$1')", gives: "12/3" },
    { sql: "regexp_replace('3 bar', '(?P<n>\\\\d)', '\x24{n}0')", gives: "30 bar" },
    { sql: "regexp_replace('3 bar', '(\\\\d)', '$1x')", gives: " bar" },
    { sql: "regexp_replace('5', '5', '$$5 $')", gives: "$5 $" },
    { sql: "regexp_replace('baaac', 'a*', 'x')", gives: "xbxcx" },
    { sql: "regexp_replace(text, 'a', 'b')", of: { text: null }, gives: null },
    { sql: "regexp_replace(n, '1', '7')", of: { n: 21.5 }, gives: "27.5", mode: "compat" },
    {
      sql: "regexp_replace(n, '1', '7')",
      of: { n: 21.5 },
      gives: { error: /text must be text, and is float 21.5/ },
      mode: "strict",
    },
    {
      sql: "regexp_replace(text, 'a', 'aaa')",
      of: { text: "a".repeat(30_000) },
      gives: { error: /longer than 65536 bytes/ },
    },
    {
      sql: "length(regexp_replace(text, '[;,]', ' '))",
      of: { text: ",".repeat(60_000) },
      gives: 60_000n,
    },
    {
      sql: "regexp_replace(text, 'x(.*y)?', '')",
      of: { text: "x".repeat(20_000) },
      gives: { error: /too much work for so long a text/ },
    },
  ],
  check: checkPattern,
  compiles: 1,
  run([text, pattern, replacement], { mode }) {
    const [all, regexp, template] = [text, pattern, replacement].map((value, at) =>
      textOf(value!, { name: "regexp_replace", param: ["text", "pattern", "replacement"][at]!, mode }),
    ) as [string, string, string];
    return replaceAll(all, regexpOf(regexp), piecesOf(template));
  },
});

/** As Go does: an empty match right behind the one before does not count. @source Go 1.23, package regexp, replaceAll */
function replaceAll(text: string, regexp: Regexp, pieces: readonly Piece[]): string {
  const matcher = regexp.re.matcher(text);
  const spent = new Effort("regexp_replace", regexp);
  spent.look(text.length);
  let made = "";
  let copied = 0;
  let lastEnd = 0;
  while (matcher.find()) {
    const [start, end] = [matcher.start(), matcher.end()];
    effort.spend(100);
    spent.look(regexp.looksFar ? text.length - end : regexp.steps);
    if (end <= lastEnd && start !== 0) continue;
    made += text.slice(copied, start);
    for (const piece of pieces) made += typeof piece === "string" ? piece : groupOf(matcher, piece.group);
    checkLength("regexp_replace", made.length);
    copied = end;
    lastEnd = end;
  }
  const all = made + text.slice(copied);
  return all.length <= text.length ? all : bounded("regexp_replace", all);
}

type Piece = string | { readonly group: string };

/** @source Go 1.23, package regexp, Expand: a name is as long as it can be, so $1x is a group of the name 1x */
function piecesOf(template: string): readonly Piece[] {
  if (!template.includes("$")) return [template];
  const pieces: Piece[] = [];
  let at = 0;
  for (const found of template.matchAll(/\$(?:\$|([0-9A-Za-z_]+)|\{([0-9A-Za-z_]+)\})/g)) {
    const group = found[1] ?? found[2];
    pieces.push(template.slice(at, found.index), group === undefined ? "$" : { group });
    at = found.index + found[0].length;
  }
  return [...pieces, template.slice(at)];
}

/** @returns nothing where there is no such group, or it took no part */
function groupOf(matcher: Matcher, name: string): string {
  const number = /^\d+$/.test(name) ? Number(name) : matcher.pattern().namedGroups()[name];
  return number === undefined || number > matcher.groupCount() ? "" : (matcher.group(number) ?? "");
}
