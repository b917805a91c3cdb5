import type { About, Column, ColumnType, Define, DefinedKind, Literal, Show } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { listOf, parseExpression } from "./parse-expression.ts";

const plainTypes = ["bigint", "float", "string", "datetime", "boolean", "bytea"] as const;

/** `CREATE STREAM|TABLE name (…) WITH (…)` */
export function parseCreate(cursor: Cursor): Define {
  const { start } = cursor.take();
  const kind = definedKind(cursor);
  const name = cursor.name(`the name of the ${kind}`).text;
  let columns: Column[] | null = null;
  if (cursor.takeIf("(") !== null) {
    columns = cursor.isNext(")") ? null : listOf(cursor, () => column(cursor));
    cursor.expect(")", "after the columns");
  }
  const options = new Map<string, string>();
  if (cursor.takeWordIf("WITH") !== null) {
    cursor.expect("(", "after WITH");
    if (!cursor.isNext(")")) listOf(cursor, () => option(cursor, options));
    cursor.expect(")", "after the options");
  }
  return { t: "create", kind, name, columns, options, start, end: cursor.next.start };
}

/** `SHOW STREAMS`, `DESCRIBE STREAM name` and their like */
export function parseAbout(cursor: Cursor, verb: "SHOW" | "DESCRIBE" | "EXPLAIN" | "DROP"): Show | About {
  const { start } = cursor.take();
  if (verb === "SHOW") {
    const token = cursor.take();
    const kind = { STREAMS: "stream", TABLES: "table" }[token.text.toUpperCase()] as DefinedKind | undefined;
    if (kind === undefined) throw cursor.wrong("STREAMS or TABLES is missing after SHOW", undefined, token);
    return { t: "show", kind, start, end: token.end };
  }
  const kind = definedKind(cursor);
  const { text: name, end } = cursor.name(`the name of the ${kind}`);
  return { t: verb.toLowerCase() as About["t"], kind, name, start, end };
}

function definedKind(cursor: Cursor): DefinedKind {
  if (cursor.takeWordIf("STREAM") !== null) return "stream";
  if (cursor.takeWordIf("TABLE") !== null) return "table";
  throw cursor.wrong("STREAM or TABLE is missing");
}

function column(cursor: Cursor): Column {
  const { text: name, start } = cursor.name("the name of a column");
  const type = columnType(cursor);
  let byDefault: Literal | null = null;
  if (cursor.takeIf("DEFAULT") !== null) {
    const value = parseExpression(cursor);
    if (value.t !== "literal") throw cursor.wrong("DEFAULT takes a value", undefined, value);
    byDefault = value;
  }
  return { name, type, byDefault, start, end: cursor.next.start };
}

function columnType(cursor: Cursor): ColumnType {
  const token = cursor.name("the type of the column");
  const word = token.text.toLowerCase();
  const plain = plainTypes.find((one) => one === word);
  if (plain !== undefined) return { t: plain };
  if (word === "array") {
    cursor.expect("(", "after ARRAY");
    const of = cursor.nested(() => columnType(cursor));
    cursor.expect(")", "after the type in ARRAY");
    return { t: "array", of };
  }
  if (word === "struct") {
    cursor.expect("(", "after STRUCT");
    const fields = cursor.nested(() =>
      listOf(cursor, () => ({ name: cursor.name("the name of a field").text, type: columnType(cursor) })),
    );
    cursor.expect(")", "after the fields of STRUCT");
    return { t: "struct", fields };
  }
  const known = [...plainTypes, "array(type)", "struct(name type, …)"].join(", ");
  throw cursor.wrong("there is no such type", `types are ${known}`, token);
}

function option(cursor: Cursor, options: Map<string, string>): void {
  const key = cursor.name("the name of an option");
  const name = key.text.toUpperCase();
  cursor.expect("=", `after ${name}`);
  const value = cursor.take();
  const isBare = value.kind === "keyword" && (value.text === "TRUE" || value.text === "FALSE");
  if (value.kind !== "string" && !isBare) throw cursor.wrong(`${name} takes a text in quotes`, undefined, value);
  if (options.has(name)) throw cursor.wrong(`${name} is given twice`, undefined, key);
  options.set(name, value.text);
}
