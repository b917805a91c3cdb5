import type { Expr, Field, Join, JoinKind, Select, Source, Star, TimeUnit, WindowClause, WindowKind } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { listOf, parseExpression, parseFilter, parseOrderBy, parseOver } from "./parse-expression.ts";

const windows: Readonly<Record<string, WindowKind>> = {
  ...{ TUMBLINGWINDOW: "tumbling", HOPPINGWINDOW: "hopping", SLIDINGWINDOW: "sliding" },
  ...{ SESSIONWINDOW: "session", COUNTWINDOW: "count", STATEWINDOW: "state" },
};
const units: ReadonlySet<string> = new Set(["dd", "hh", "mi", "ss", "ms"] satisfies TimeUnit[]);
/** how many arguments, the unit not counted: [least, most] */
const windowArgs: Readonly<Record<WindowKind, readonly [number, number]>> = {
  ...{ tumbling: [1, 1], hopping: [2, 2], sliding: [1, 2], session: [2, 2], count: [1, 2], state: [1, 2] },
};

/**
 * `SELECT … FROM … [JOIN …] [WHERE …] [GROUP BY …] [HAVING …] [ORDER BY …] [LIMIT n]`
 *
 * @throws AppError rules/bad-sql
 */
export function parseSelect(cursor: Cursor): Select {
  const { start } = cursor.expect("SELECT", "at the beginning");
  const fields = listOf(cursor, () => selected(cursor));
  cursor.expect("FROM", "after what is selected");
  const from = source(cursor);
  const joins: Join[] = [];
  for (let one = join(cursor); one !== null; one = join(cursor)) joins.push(one);
  const where = cursor.takeIf("WHERE") === null ? null : parseExpression(cursor);
  const { groupBy, window } = grouping(cursor);
  const having = cursor.takeIf("HAVING") === null ? null : parseExpression(cursor);
  const orderBy = cursor.isNext("ORDER") ? parseOrderBy(cursor) : [];
  const limit = cursor.takeIf("LIMIT") === null ? null : wholeNumber(cursor, "LIMIT");
  const { start: end } = cursor.next;
  return { t: "select", fields, from, joins, where, groupBy, window, having, orderBy, limit, start, end };
}

function selected(cursor: Cursor): Field | Star {
  const { next, second } = cursor;
  if (cursor.takeIf("*") !== null) return star(cursor, null, next.start);
  const isName = next.kind === "word" || next.kind === "quoted";
  if (isName && second.kind === "symbol" && second.text === ".") {
    const found = sourceStar(cursor);
    if (found !== null) return found;
  }
  return field(cursor);
}

/** `src.*` */
function sourceStar(cursor: Cursor): Star | null {
  // Names have no star in them, and a product would need a value before it.
  const { start, text } = cursor.next;
  if (!/^\s*\.\s*\*/.test(cursor.sql.slice(cursor.next.end, cursor.next.end + 20))) return null;
  cursor.take();
  cursor.take();
  cursor.take();
  return star(cursor, text, start);
}

function star(cursor: Cursor, source: string | null, start: number): Star {
  let end = start + 1;
  let except: string[] = [];
  let replace: Field[] = [];
  if (cursor.takeIf("EXCEPT") !== null) {
    cursor.expect("(", "after EXCEPT");
    except = listOf(cursor, () => cursor.name("a column to leave out").text);
    ({ end } = cursor.expect(")", "after EXCEPT (…"));
  }
  if (cursor.takeIf("REPLACE") !== null) {
    cursor.expect("(", "after REPLACE");
    replace = listOf(cursor, () => field(cursor));
    const unnamed = replace.find(({ alias }) => alias === null);
    if (unnamed !== undefined) throw cursor.wrong("AS and the column to replace are missing", undefined, unnamed);
    ({ end } = cursor.expect(")", "after REPLACE (…"));
  }
  if (cursor.isNext("AS")) throw cursor.wrong("* cannot have a name");
  return { t: "star", source, except, replace, start, end };
}

function field(cursor: Cursor): Field {
  const expr = parseExpression(cursor);
  let { end } = expr;
  let alias: string | null = null;
  if (cursor.takeIf("AS") !== null) ({ text: alias, end } = cursor.name("the name after AS"));
  else if (cursor.next.kind === "word" || cursor.next.kind === "quoted")
    throw cursor.wrong("a name follows an expression", "write AS before it, or a comma");
  const invisible = cursor.takeIf("INVISIBLE");
  return { expr, alias, isInvisible: invisible !== null, start: expr.start, end: invisible?.end ?? end };
}

/** A source is a name, or for historic reasons an MQTT topic as it is. */
function source(cursor: Cursor): Source {
  const { start } = cursor.next;
  let { end } = cursor.next;
  let name = "";
  const isPart = () => {
    const { kind, text } = cursor.next;
    return kind === "word" || kind === "quoted" || (kind === "symbol" && ["/", "#", "+"].includes(text));
  };
  while (isPart() && (name === "" || cursor.next.start === end)) {
    name += cursor.next.text;
    ({ end } = cursor.take());
  }
  if (name === "") throw cursor.wrong("the name of a stream is missing");
  let alias: string | null = null;
  if (cursor.takeIf("AS") !== null) ({ text: alias, end } = cursor.name("the name after AS"));
  return { name, alias, start, end };
}

function join(cursor: Cursor): Join | null {
  const { start } = cursor.next;
  const kinds = ["INNER", "LEFT", "RIGHT", "FULL", "CROSS"];
  const kind = kinds.find((one) => cursor.takeIf(one) !== null);
  if (kind === undefined) {
    if (!cursor.isNext("JOIN")) return null;
    if (cursor.mode === "compat") throw cursor.wrong("eKuiper reads no JOIN alone", "write INNER JOIN");
  }
  cursor.expect("JOIN", `after ${kind ?? ""}`);
  const joined = source(cursor);
  const on = cursor.takeIf("ON") === null ? null : parseExpression(cursor);
  const lower = (kind ?? "INNER").toLowerCase() as JoinKind;
  if (lower === "cross" && on !== null) throw cursor.wrong("CROSS JOIN has no ON", "write INNER JOIN … ON …", on);
  if (cursor.mode === "strict" && lower !== "cross" && on === null) {
    throw cursor.wrong("ON is missing after the joined stream", "write CROSS JOIN to join every row with every row");
  }
  return { kind: lower, source: joined, on, start, end: on?.end ?? joined.end };
}

function grouping(cursor: Cursor): { readonly groupBy: readonly Expr[]; readonly window: WindowClause | null } {
  if (cursor.takeIf("GROUP") === null) return { groupBy: [], window: null };
  cursor.expect("BY", "after GROUP");
  const groupBy: Expr[] = [];
  let window: WindowClause | null = null;
  do {
    const kind = cursor.next.kind === "word" ? windows[cursor.next.text.toUpperCase()] : undefined;
    if (kind === undefined) groupBy.push(parseExpression(cursor));
    else {
      if (window !== null) throw cursor.wrong("a query has one window only");
      window = windowClause(cursor, kind);
    }
  } while (cursor.takeIf(",") !== null);
  return { groupBy, window };
}

function windowClause(cursor: Cursor, kind: WindowKind): WindowClause {
  const { start, text: name } = cursor.take();
  cursor.expect("(", `after ${name}`);
  let unit: TimeUnit | null = null;
  if (kind !== "count" && kind !== "state") {
    const word = cursor.next.text.toLowerCase();
    if (cursor.next.kind !== "word" || !units.has(word)) throw cursor.wrong("a unit is missing: dd, hh, mi, ss or ms");
    unit = word as TimeUnit;
    cursor.take();
    cursor.expect(",", "after the unit");
  }
  const args = listOf(cursor, () => parseExpression(cursor));
  const close = cursor.expect(")", `after the arguments of ${name}`);
  const [least, most] = windowArgs[kind];
  if (args.length < least || args.length > most) {
    const wanted = least === most ? `${least}` : `${least} or ${most}`;
    throw cursor.wrong(
      `${name} takes ${wanted} ${unit === null ? "" : "after the unit "}and has ${args.length}`,
      undefined,
      {
        start,
        end: close.end,
      },
    );
  }
  let { end } = close;
  let filter: Expr | null = null;
  if (cursor.isNext("FILTER")) ({ filter, end } = parseFilter(cursor));
  const over = cursor.isNext("OVER") ? parseOver(cursor) : null;
  return { kind, unit, args, filter, over, start, end: over?.end ?? end };
}

function wholeNumber(cursor: Cursor, what: string): number {
  const { kind, text } = cursor.next;
  if (kind !== "integer" || text.length > 15) throw cursor.wrong(`${what} takes a whole number from 0`);
  cursor.take();
  return Number(text);
}
