import { limits } from "@penstock/model";
import type { Define } from "../parse/ast.ts";
import { sqlError } from "../parse/sql-error.ts";
import type { StreamSchema, TableSchema } from "./stream-schema.ts";

/**
 * What a `CREATE STREAM` or `CREATE TABLE` says about the rows. A scan table keeps one row unless RETAIN_SIZE says more;
 * of a lookup table TYPE memory keeps what comes, any other is asked.
 *
 * @throws AppError rules/bad-sql for options that mean nothing here
 */
export function schemaOf(sql: string, define: Define): StreamSchema {
  const { kind, name, columns } = define;
  const known = columns === null ? null : new Map(columns.map((one) => [one.name, one.type]));
  return { name, columns: known, ...(kind === "table" && { table: tableOf(sql, define) }) };
}

function tableOf(sql: string, define: Define): TableSchema {
  const { options } = define;
  const option = (name: string) => options.get(name) ?? null;
  const kind = option("KIND")?.toLowerCase() ?? "scan";
  const key = option("KEY");
  if (kind === "lookup") {
    const isMemory = option("TYPE")?.toLowerCase() === "memory";
    // eKuiper keeps no answer unless it is told to.
    return isMemory ? { t: "memory", key } : { t: "lookup", keepMicros: 0, most: 0 };
  }
  if (kind !== "scan") throw sqlError(sql, define, `there is no KIND of table "${kind}"`, "write scan or lookup");
  const size = option("RETAIN_SIZE");
  if (size === null) return { t: "scan", rows: null, key };
  const rows = /^[0-9]{1,9}$/.test(size) ? Number(size) : 0;
  if (rows < 1 || rows > limits.windowRows)
    throw sqlError(sql, define, `RETAIN_SIZE is a number from 1 to ${limits.windowRows}, and is "${size}"`);
  return { t: "scan", rows, key };
}
