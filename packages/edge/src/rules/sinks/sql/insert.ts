import { formatMicros, type Micros } from "@penstock/model";
import { Instant, type ObjectValue, type Value } from "@penstock/rules";
import { jsonOf } from "../row-json.ts";

export type Dialect = "postgres" | "mysql";
export type SqlParameter = string | number | boolean | Buffer | null;
export interface Insert {
  readonly sql: string;
  readonly parameters: readonly SqlParameter[];
}

/** PostgreSQL counts parameters in 16 bits, MySQL too. */
const parametersMost = 60_000;

/**
 * INSERTs of all rows, each one statement with as many rows as it may have. A column that a row lacks is NULL.
 *
 * @param table  may name its schema: "plant.reading"
 * @param columns  left out: all that any of the rows has
 */
export function insertsOf(
  dialect: Dialect,
  table: string,
  rows: readonly ObjectValue[],
  columns: readonly string[] = [...new Set(rows.flatMap((row) => Object.keys(row)))],
): readonly Insert[] {
  const into = table
    .split(".")
    .map((part) => quoted(dialect, part))
    .join(".");
  const names = columns.map((name) => quoted(dialect, name)).join(", ");
  const rowsEach = Math.max(1, Math.floor(parametersMost / Math.max(1, columns.length)));
  const inserts: Insert[] = [];
  for (let at = 0; at < rows.length; at += rowsEach) {
    const parameters: SqlParameter[] = [];
    const tuples = rows.slice(at, at + rowsEach).map((row) => {
      const marks = columns.map((name) => {
        parameters.push(parameterOf(dialect, Object.hasOwn(row, name) ? row[name]! : null));
        return dialect === "postgres" ? `$${parameters.length}` : "?";
      });
      return `(${marks.join(", ")})`;
    });
    inserts.push({ sql: `INSERT INTO ${into} (${names}) VALUES ${tuples.join(", ")}`, parameters });
  }
  return inserts;
}

/** @source PostgreSQL 15, 4.1.1; MySQL 8.4, 11.2: the quote is doubled inside */
function quoted(dialect: Dialect, name: string): string {
  return dialect === "postgres" ? `"${name.replaceAll('"', '""')}"` : `\`${name.replaceAll("`", "``")}\``;
}

/** Integers go as digits, so that none is rounded; moments as texts in UTC with microseconds. */
function parameterOf(dialect: Dialect, value: Value): SqlParameter {
  switch (typeof value) {
    case "bigint":
      return String(value);
    case "number":
      return Number.isFinite(value) ? value : null;
    case "string":
    case "boolean":
      return value;
    default:
  }
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (!(value instanceof Instant)) return jsonOf(value);
  const text = formatMicros(value.micros as Micros);
  return dialect === "postgres" ? text : text.replace("T", " ").replace("Z", "");
}
