import type { Mode } from "./ast.ts";
import { type Span, sqlError } from "./sql-error.ts";

export interface Token extends Span {
  /** `word` an identifier that is no keyword, `quoted` one in back-ticks, `symbol` and `keyword` by their `text` */
  readonly kind: "word" | "quoted" | "keyword" | "integer" | "float" | "string" | "symbol" | "end";
  /** keywords in capitals, symbols as they mean, strings unescaped, numbers as written */
  readonly text: string;
}

const keywords = new Set(
  (
    "SELECT AS FROM WHERE AND OR GROUP HAVING ORDER BY DESC ASC FILTER INNER LEFT RIGHT FULL CROSS JOIN ON CASE WHEN " +
    "THEN DEFAULT ELSE END IN NOT BETWEEN LIKE OVER PARTITION REPLACE EXCEPT INVISIBLE TRUE FALSE LIMIT"
  ).split(" "),
);
/** Words of SQL that eKuiper does not know. */
const strictKeywords = new Set([...keywords, "IS", "NULL"]);
const symbols = ["->", "!=", "<=", ">=", ..."=<>+-*/%&|^.,;:()[]#"];

/**
 * Cuts a query into tokens; comments and blanks are left out, the last is `end`.
 *
 * @throws AppError rules/bad-sql
 */
export function tokenize(sql: string, mode: Mode): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < sql.length) {
    const char = sql[at]!;
    const skipped = skipBlank(sql, at);
    if (skipped > at) {
      at = skipped;
      continue;
    }
    const token = isLetter(char)
      ? word(sql, at, mode)
      : isDigit(char)
        ? number(sql, at)
        : char === '"' || char === "'"
          ? string(sql, at, mode)
          : char === "`"
            ? quoted(sql, at)
            : symbol(sql, at, mode);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: "end", text: "", start: sql.length, end: sql.length });
  return tokens;
}

function skipBlank(sql: string, at: number): number {
  const char = sql[at]!;
  if (char === " " || char === "\n") return at + 1;
  // Only what is rare is looked at with more care.
  if (char > " " && char < "\u0080" && char !== "-" && char !== "/") return at;
  if (/\s/.test(char)) return at + 1;
  if (sql.startsWith("--", at)) {
    const end = sql.indexOf("\n", at);
    return end < 0 ? sql.length : end + 1;
  }
  if (!sql.startsWith("/*", at)) return at;
  const end = sql.indexOf("*/", at + 2);
  if (end < 0) throw sqlError(sql, { start: at, end: at + 2 }, "the comment has no end", "write */ after it");
  return end + 2;
}

function word(sql: string, start: number, mode: Mode): Token {
  let end = start + 1;
  while (end < sql.length && (isLetter(sql[end]!) || isDigit(sql[end]!) || sql[end] === "_")) end++;
  const text = sql.slice(start, end);
  const upper = text.toUpperCase();
  const isKeyword = (mode === "strict" ? strictKeywords : keywords).has(upper);
  return { kind: isKeyword ? "keyword" : "word", text: isKeyword ? upper : text, start, end };
}

function quoted(sql: string, start: number): Token {
  const close = sql.indexOf("`", start + 1);
  if (close < 0) throw sqlError(sql, { start, end: sql.length }, "the name has no closing `");
  if (close === start + 1) throw sqlError(sql, { start, end: close + 1 }, "the name is empty");
  return { kind: "quoted", text: sql.slice(start + 1, close), start, end: close + 1 };
}

function number(sql: string, start: number): Token {
  let end = start;
  while (end < sql.length && isDigit(sql[end]!)) end++;
  // "1." is no number: a range `a[1:2]` and a path `a.b` never follow digits with a dot.
  const isFloat = sql[end] === "." && end + 1 < sql.length && isDigit(sql[end + 1]!);
  if (isFloat) {
    end++;
    while (end < sql.length && isDigit(sql[end]!)) end++;
  }
  if (end < sql.length && isLetter(sql[end]!)) {
    let last = end;
    while (last < sql.length && (isLetter(sql[last]!) || isDigit(sql[last]!) || sql[last] === "_")) last++;
    const what = /^e\d/i.test(sql.slice(end)) ? "numbers have no exponent" : "a name begins with a letter";
    throw sqlError(sql, { start, end: last }, what, "write the number in full, or the name in `…`");
  }
  return { kind: isFloat ? "float" : "integer", text: sql.slice(start, end), start, end };
}

/** where a run of plain characters in a text may end; a quote of the other kind is taken by itself */
const endsRun: ReadonlySet<string> = new Set(["'", '"', "\\", "\n"]);

const escapes: Readonly<Record<string, string>> = {
  ...{ n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", v: "\v", a: "\x07", "\\": "\\", "'": "'", '"': '"', "/": "/" },
};

function string(sql: string, start: number, mode: Mode): Token {
  const quote = sql[start]!;
  if (mode === "strict" && quote === '"') {
    const close = sql.indexOf('"', start + 1);
    const end = close < 0 ? sql.length : close + 1;
    throw sqlError(
      sql,
      { start, end },
      '"…" is a name to some and a text to others',
      "write '…' for a text, `…` for a name",
    );
  }
  let text = "";
  let at = start + 1;
  for (;;) {
    const char = sql[at];
    if (char === undefined || char === "\n") {
      throw sqlError(sql, { start, end: at }, `the text has no closing ${quote}`);
    }
    if (char === quote) {
      // Twice the quote is the quote, as SQL has it.
      if (mode === "strict" && sql[at + 1] === quote) {
        text += quote;
        at += 2;
        continue;
      }
      return { kind: "string", text, start, end: at + 1 };
    }
    if (char !== "\\") {
      const from = at++;
      while (at < sql.length && !endsRun.has(sql[at]!)) at++;
      // A line break within is found by the next turn.
      text += sql.slice(from, at);
      continue;
    }
    const { value, end } = escaped(sql, at);
    text += value;
    at = end;
  }
}

/** @source The Go Programming Language Specification, go1.23, "Rune literals" */
function escaped(sql: string, start: number): { readonly value: string; readonly end: number } {
  const letter = sql[start + 1] ?? "";
  const plain = escapes[letter];
  if (plain !== undefined) return { value: plain, end: start + 2 };
  const digits = { x: 2, u: 4, U: 8 }[letter];
  const hex = digits === undefined ? "" : sql.slice(start + 2, start + 2 + digits);
  const code = hex.length === digits && /^[0-9a-f]+$/i.test(hex) ? Number.parseInt(hex, 16) : Number.NaN;
  if (!(code <= 0x10ffff)) {
    const end = start + 2 + (digits ?? 0);
    throw sqlError(sql, { start, end }, "there is no such escape", "write \\\\ for a backslash");
  }
  return { value: String.fromCodePoint(code), end: start + 2 + digits! };
}

function symbol(sql: string, start: number, mode: Mode): Token {
  const two = sql.slice(start, start + 2);
  if (two === "<>") {
    if (mode === "strict") return { kind: "symbol", text: "!=", start, end: start + 2 };
    throw sqlError(sql, { start, end: start + 2 }, "eKuiper does not read <>", "write !=");
  }
  const text = symbols.find((one) => sql.startsWith(one, start));
  if (text !== undefined) return { kind: "symbol", text, start, end: start + text.length };
  // eKuiper reads a lone ! as =.
  if (sql[start] === "!" && mode === "compat") return { kind: "symbol", text: "=", start, end: start + 1 };
  const char = String.fromCodePoint(sql.codePointAt(start)!);
  const hint =
    two === "||" ? "write concat(a, b)" : sql[start] === "!" ? "write != or NOT" : "write other names in `…`";
  throw sqlError(sql, { start, end: start + char.length }, `${char} means nothing here`, hint);
}

function isLetter(char: string): boolean {
  return (char >= "a" && char <= "z") || (char >= "A" && char <= "Z");
}

function isDigit(char: string): boolean {
  return char >= "0" && char <= "9";
}
