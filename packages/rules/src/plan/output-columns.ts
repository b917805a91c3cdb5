import type { Expr, Mode } from "../parse/ast.ts";
import { parseQuery } from "../parse/parse.ts";
import { rowsFunctionOf } from "./plan-expansion.ts";

/**
 * The names of the columns that a query gives, in their order; null where that is only known when a row comes: with `*`, or
 * `changed_cols`, or a function that makes rows.
 *
 * @throws AppError rules/bad-sql
 */
export function outputColumns(sql: string, mode: Mode): readonly string[] | null {
  let unnamed = 0;
  const names: string[] = [];
  for (const field of parseQuery(sql, mode).fields) {
    if (!("expr" in field)) return null;
    if (field.isInvisible) continue;
    const { expr, alias } = field;
    if (expr.t === "call" && rowsFunctionOf(expr) !== null) return null;
    if (alias === null && expr.t === "call" && expr.name.toLowerCase() === "changed_cols") return null;
    names.push(alias ?? ownName(expr) ?? `kuiper_field_${unnamed++}`);
  }
  return names;
}

function ownName(expr: Expr): string | null {
  if (expr.t === "name" || expr.t === "member") return expr.name;
  return expr.t === "call" ? expr.name.toLowerCase() : null;
}
