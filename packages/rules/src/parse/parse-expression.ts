import type { ArithmeticOp, Call, Case, ComparisonOp, Expr, In, Logical, OrderItem, Over, Star } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import type { Span } from "./sql-error.ts";
import type { Token } from "./token.ts";

/** Sums, products and accesses in one chain, which is a tree as deep as it is long. */
const longestChain = 500;

const comparisons = new Set(["=", "!=", "<", "<=", ">", ">="]);
const sums = new Set(["+", "-", "|", "^"]);
const products = new Set(["*", "/", "%", "&"]);

/**
 * Reads one expression. Weakest first: OR, AND, (NOT), comparisons, + - | ^, * / % &, (unary minus), [] -> .
 *
 * @source eKuiper 2.x, pkg/ast/token.go; NOT, IS NULL and unary minus are of strict mode alone
 */
export function parseExpression(cursor: Cursor): Expr {
  return cursor.nested(() => logical(cursor, "or", () => logical(cursor, "and", () => negation(cursor))));
}

function logical(cursor: Cursor, op: Logical["op"], read: () => Expr): Expr {
  const first = read();
  const of = [first];
  while (cursor.takeIf(op.toUpperCase()) !== null) of.push(read());
  return of.length === 1 ? first : { t: "logical", op, of, start: first.start, end: of.at(-1)!.end };
}

function negation(cursor: Cursor): Expr {
  if (!cursor.isNext("NOT")) return comparison(cursor);
  if (cursor.mode === "compat") throw cursor.wrong("eKuiper knows no NOT before an expression", "write … = false");
  const { start } = cursor.take();
  const of = cursor.nested(() => negation(cursor));
  return { t: "unary", op: "not", of, start, end: of.end };
}

function comparison(cursor: Cursor): Expr {
  let left = sum(cursor);
  for (let length = 0; ; length++) {
    if (length > longestChain) throw cursor.wrong(`more than ${longestChain} comparisons follow each other`);
    const right = comparedTo(cursor, left);
    if (right === null) return left;
    // `a < b < c` compares a boolean with c.
    if (cursor.mode === "strict" && left.t === "binary" && comparisons.has(left.op)) {
      throw cursor.wrong("two comparisons follow each other", "write a < b AND b < c", right);
    }
    left = right;
  }
}

function comparedTo(cursor: Cursor, left: Expr): Expr | null {
  const { start } = left;
  if (cursor.next.kind === "symbol" && comparisons.has(cursor.next.text)) {
    const op = cursor.take().text as ComparisonOp;
    const right = sum(cursor);
    return { t: "binary", op, left, right, start, end: right.end };
  }
  if (cursor.isNext("IS")) return isNull(cursor, left);
  const isNot = cursor.isNext("NOT") && ["IN", "BETWEEN", "LIKE"].includes(cursor.second.text);
  if (isNot) cursor.take();
  if (cursor.takeIf("BETWEEN") !== null) {
    const low = sum(cursor);
    cursor.expect("AND", "between the bounds of BETWEEN");
    const high = sum(cursor);
    return { t: "between", isNot, of: left, low, high, start, end: high.end };
  }
  if (cursor.takeIf("LIKE") !== null) {
    const pattern = sum(cursor);
    return { t: "like", isNot, of: left, pattern, start, end: pattern.end };
  }
  return cursor.takeIf("IN") === null ? null : among(cursor, left, isNot);
}

function isNull(cursor: Cursor, of: Expr): Expr {
  cursor.take();
  const isNot = cursor.takeIf("NOT") !== null;
  const { end } = cursor.expect("NULL", "after IS");
  return { t: "isNull", isNot, of, start: of.start, end };
}

function among(cursor: Cursor, of: Expr, isNot: boolean): In {
  const { start } = of;
  if (cursor.takeIf("(") === null) {
    const array = sum(cursor);
    return { t: "in", isNot, of, among: { array }, start, end: array.end };
  }
  const list = listOf(cursor, () => parseExpression(cursor));
  const { end } = cursor.expect(")", "after the values of IN");
  return { t: "in", isNot, of, among: { list }, start, end };
}

function sum(cursor: Cursor): Expr {
  return chain(cursor, sums, () => chain(cursor, products, () => prefixed(cursor)));
}

function chain(cursor: Cursor, operators: ReadonlySet<string>, read: () => Expr): Expr {
  let left = read();
  for (let length = 0; cursor.next.kind === "symbol" && operators.has(cursor.next.text); length++) {
    if (length > longestChain) throw cursor.wrong(`more than ${longestChain} operators follow each other`);
    const op = cursor.take().text as ArithmeticOp;
    const right = read();
    left = { t: "binary", op, left, right, start: left.start, end: right.end };
  }
  return left;
}

function prefixed(cursor: Cursor): Expr {
  const { start } = cursor.next;
  if (cursor.takeIf("-") === null) return accessed(cursor);
  const { kind, text, end } = cursor.next;
  // The least integer has no positive one beside it, so the sign belongs to the number.
  if (kind === "integer" || kind === "float") {
    cursor.take();
    return accesses(cursor, { t: "literal", value: numberOf(cursor, kind, `-${text}`, { start, end }), start, end });
  }
  if (cursor.mode === "compat") throw cursor.wrong("eKuiper reads a minus only before a number", "write 0 - … instead");
  const of = cursor.nested(() => prefixed(cursor));
  return { t: "unary", op: "-", of, start, end: of.end };
}

function accessed(cursor: Cursor): Expr {
  return accesses(cursor, primary(cursor));
}

function accesses(cursor: Cursor, first: Expr): Expr {
  let of = first;
  for (let length = 0; ; length++) {
    if (length > longestChain) throw cursor.wrong(`more than ${longestChain} accesses follow each other`);
    if (cursor.takeIf("->") !== null || cursor.takeIf(".") !== null) {
      const { text, end } = cursor.name("the name of a field");
      of =
        of.t === "name" && of.source === null && cursor.sql[of.end] === "."
          ? { t: "name", source: of.name, name: text, start: of.start, end }
          : { t: "member", of, name: text, start: of.start, end };
    } else if (cursor.takeIf("[") !== null) of = elementOrSlice(cursor, of);
    else return of;
  }
}

function elementOrSlice(cursor: Cursor, of: Expr): Expr {
  const { start } = of;
  const from = cursor.isNext(":") ? null : parseExpression(cursor);
  if (cursor.takeIf(":") === null) {
    const { end } = cursor.expect("]", "after the index");
    return { t: "element", of, index: from!, start, end };
  }
  const to = cursor.isNext("]") ? null : parseExpression(cursor);
  const { end } = cursor.expect("]", "after the slice");
  return { t: "slice", of, from, to, start, end };
}

function primary(cursor: Cursor): Expr {
  const token = cursor.next;
  const { start, end } = token;
  switch (token.kind) {
    case "integer":
    case "float":
      cursor.take();
      return { t: "literal", value: numberOf(cursor, token.kind, token.text, token), start, end };
    case "string":
      cursor.take();
      return { t: "literal", value: token.text, start, end };
    case "quoted":
      cursor.take();
      return { t: "name", source: null, name: token.text, start, end };
    case "word":
      cursor.take();
      return cursor.isNext("(") ? call(cursor, token) : { t: "name", source: null, name: token.text, start, end };
    case "keyword":
      return fromKeyword(cursor, token);
    default:
  }
  if (cursor.takeIf("(") === null) throw cursor.wrong("an expression is missing");
  const inner = parseExpression(cursor);
  const close = cursor.expect(")", "after the expression");
  return { ...inner, start, end: close.end };
}

function fromKeyword(cursor: Cursor, token: Token): Expr {
  const { start, end, text } = token;
  switch (text) {
    case "TRUE":
    case "FALSE":
      cursor.take();
      return { t: "literal", value: text === "TRUE", start, end };
    case "NULL":
      cursor.take();
      return { t: "literal", value: null, start, end };
    case "CASE":
      return caseOf(cursor);
    default: {
      // REPLACE is a word of the select list, and a function.
      const isCall = cursor.second.kind === "symbol" && cursor.second.text === "(";
      if (text === "REPLACE" && isCall) return call(cursor, cursor.take());
      throw cursor.wrong(
        "an expression is missing",
        `${text} is a word of SQL: write \`${text}\` for a column of that name`,
      );
    }
  }
}

function caseOf(cursor: Cursor): Case {
  const { start } = cursor.take();
  const of = cursor.isNext("WHEN") ? null : parseExpression(cursor);
  const branches: { when: Expr; value: Expr }[] = [];
  while (cursor.takeIf("WHEN") !== null) {
    const when = parseExpression(cursor);
    cursor.expect("THEN", "after the condition of WHEN");
    branches.push({ when, value: parseExpression(cursor) });
  }
  if (branches.length === 0) throw cursor.wrong("WHEN is missing in CASE");
  const otherwise = cursor.takeIf("ELSE") === null ? null : parseExpression(cursor);
  const { end } = cursor.expect("END", "after CASE");
  return { t: "case", of, branches, otherwise, start, end };
}

function call(cursor: Cursor, { text: name, start }: Token): Call {
  cursor.take();
  const args = cursor.isNext(")") ? [] : listOf(cursor, () => argument(cursor));
  let { end } = cursor.expect(")", `after the arguments of ${name}`);
  let filter: Expr | null = null;
  if (cursor.isNext("FILTER")) ({ filter, end } = parseFilter(cursor));
  const over = cursor.isNext("OVER") ? parseOver(cursor) : null;
  return { t: "call", name, args, filter, over, start, end: over?.end ?? end };
}

function argument(cursor: Cursor): Expr | Star {
  const { next, second } = cursor;
  if (next.text !== "*" || next.kind !== "symbol" || (second.text !== ")" && second.text !== ",")) {
    return parseExpression(cursor);
  }
  const { start, end } = cursor.take();
  return { t: "star", source: null, except: [], replace: [], start, end };
}

/** `FILTER (WHERE e)` */
export function parseFilter(cursor: Cursor): { readonly filter: Expr; readonly end: number } {
  cursor.expect("FILTER", "here");
  cursor.expect("(", "after FILTER");
  cursor.expect("WHERE", "in FILTER (WHERE …)");
  const filter = parseExpression(cursor);
  const { end } = cursor.expect(")", "after FILTER (WHERE …");
  return { filter, end };
}

/** `OVER ([PARTITION BY e, …] [ORDER BY …] [WHEN e])` */
export function parseOver(cursor: Cursor): Over {
  const { start } = cursor.expect("OVER", "here");
  cursor.expect("(", "after OVER");
  let partition: readonly Expr[] = [];
  if (cursor.takeIf("PARTITION") !== null) {
    cursor.expect("BY", "after PARTITION");
    partition = listOf(cursor, () => parseExpression(cursor));
  }
  const order = cursor.isNext("ORDER") ? parseOrderBy(cursor) : [];
  const when = cursor.takeIf("WHEN") === null ? null : parseExpression(cursor);
  const { end } = cursor.expect(")", "after OVER (…");
  return { partition, order, when, start, end };
}

export function parseOrderBy(cursor: Cursor): readonly OrderItem[] {
  cursor.expect("ORDER", "here");
  cursor.expect("BY", "after ORDER");
  return listOf(cursor, () => {
    const { kind } = cursor.next;
    if (cursor.mode === "compat" && kind !== "word" && kind !== "quoted")
      throw cursor.wrong("eKuiper orders by what begins with a name");
    const expr = parseExpression(cursor);
    const down = cursor.takeIf("DESC");
    const { end } = down ?? cursor.takeIf("ASC") ?? expr;
    return { expr, isDescending: down !== null, start: expr.start, end };
  });
}

export function listOf<T>(cursor: Cursor, read: () => T): T[] {
  const items = [read()];
  while (cursor.takeIf(",") !== null) items.push(read());
  return items;
}

const leastInteger = -(2n ** 63n);
const greatestInteger = 2n ** 63n - 1n;

/** An integer must fit 64 bits. */
function numberOf(cursor: Cursor, kind: "integer" | "float", text: string, at: Span): bigint | number {
  if (kind === "float") return Number(text);
  const value = text.length > 20 ? null : BigInt(text);
  if (value !== null && value >= leastInteger && value <= greatestInteger) return value;
  throw cursor.wrong(`the integer is not between ${leastInteger} and ${greatestInteger}`, undefined, at);
}
