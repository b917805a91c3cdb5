import type { ColumnType } from "../parse/ast.ts";
import { parse } from "../parse/parse.ts";

/**
 * The columns of a stream as eKuiper's statement lists them: "a bigint, b struct(c float)".
 *
 * @throws AppError rules/bad-sql, with places in `CREATE STREAM s (…)`
 */
export function declaredColumns(columns: string): ReadonlyMap<string, ColumnType> {
  const statement = parse(`CREATE STREAM s (${columns}) WITH (FORMAT="JSON")`, "compat");
  const listed = statement.t === "create" ? (statement.columns ?? []) : [];
  return new Map(listed.map(({ name, type }) => [name, type]));
}
