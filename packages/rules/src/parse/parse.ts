import { AppError, limits } from "@penstock/model";
import type { Mode, Select, Statement } from "./ast.ts";
import { Cursor } from "./cursor.ts";
import { parseAbout, parseCreate } from "./parse-define.ts";
import { parseSelect } from "./parse-select.ts";

/**
 * Reads one statement; a semicolon may end it.
 *
 * @throws AppError rules/bad-sql with line, column and what to write instead; input/too-large
 */
export function parse(sql: string, mode: Mode): Statement {
  if (sql.length > limits.sqlChars) {
    throw new AppError(
      "input/too-large",
      `Cannot read the query: ${sql.length} characters, the limit is ${limits.sqlChars}`,
    );
  }
  const cursor = new Cursor(sql, mode);
  const statement = any(cursor);
  cursor.takeIf(";");
  if (cursor.next.kind !== "end") throw cursor.wrong("the statement should end here");
  return statement;
}

/** A query, and nothing else. @throws as `parse` */
export function parseQuery(sql: string, mode: Mode): Select {
  const statement = parse(sql, mode);
  if (statement.t === "select") return statement;
  throw new Cursor(sql, mode).wrong("a rule is a query", "begin with SELECT");
}

function any(cursor: Cursor): Statement {
  if (cursor.isNext("SELECT")) return parseSelect(cursor);
  const word = cursor.next.kind === "word" ? cursor.next.text.toUpperCase() : "";
  switch (word) {
    case "CREATE":
      return parseCreate(cursor);
    case "SHOW":
    case "DESCRIBE":
    case "EXPLAIN":
    case "DROP":
      return parseAbout(cursor, word);
    default:
      throw cursor.wrong("no statement begins so", "begin with SELECT, CREATE, SHOW, DESCRIBE, EXPLAIN or DROP");
  }
}
