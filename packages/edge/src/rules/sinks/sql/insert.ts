import type { ObjectValue } from "@penstock/rules";
import {
  type Dialect,
  parameterMark,
  parameterOf,
  quoted,
  quotedTable,
  type SqlParameter,
  type Statement,
} from "./statement.ts";

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
): readonly Statement[] {
  const into = quotedTable(dialect, table);
  const names = columns.map((name) => quoted(dialect, name)).join(", ");
  const rowsEach = Math.max(1, Math.floor(parametersMost / Math.max(1, columns.length)));
  const inserts: Statement[] = [];
  for (let at = 0; at < rows.length; at += rowsEach) {
    const parameters: SqlParameter[] = [];
    const tuples = rows.slice(at, at + rowsEach).map((row) => {
      const marks = columns.map((name) => {
        parameters.push(parameterOf(dialect, Object.hasOwn(row, name) ? row[name]! : null));
        return parameterMark(dialect, parameters.length);
      });
      return `(${marks.join(", ")})`;
    });
    inserts.push({ sql: `INSERT INTO ${into} (${names}) VALUES ${tuples.join(", ")}`, parameters });
  }
  return inserts;
}
