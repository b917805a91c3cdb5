import { limits } from "@penstock/model";
import type { RowsFunction } from "../functions/define-rows.ts";
import { rowsFunctions } from "../functions/rows/all.ts";
import type { Call, Mode, Select } from "../parse/ast.ts";
import { sqlError } from "../parse/sql-error.ts";
import { effort } from "../run/effort.ts";
import { RowError } from "../value/row-error.ts";
import { isObject, type ObjectValue, type Value } from "../value/value.ts";

/** How a result of a query with `unnest` or `extract` becomes several: its value stands in the result, under its name. */
export interface Expansion {
  readonly name: string;
  /** of the rows that come out of one result set; null: all */
  readonly limit: number | null;
  /** @throws RowError */
  rows(of: ObjectValue): readonly ObjectValue[];
}

/** The function that makes rows of a call; null where it is none. */
export function rowsFunctionOf({ name }: Call): RowsFunction | null {
  return rowsFunctions.get(name.toLowerCase()) ?? null;
}

/** @returns null where every result is one row @throws AppError rules/bad-sql for more than one, or one that is hidden */
export function planExpansion(query: Select, { sql, mode }: { sql: string; mode: Mode }): Expansion | null {
  let found: Expansion | null = null;
  for (const one of query.fields) {
    if (!("expr" in one) || one.expr.t !== "call") continue;
    const { expr } = one;
    const spec = rowsFunctionOf(expr);
    if (spec === null) continue;
    if (found !== null) throw sqlError(sql, expr, "a query has one function that makes rows only");
    if (one.isInvisible) throw sqlError(sql, one, `${spec.name} makes rows, and none of them would be seen`);
    const [arg] = expr.args;
    if (expr.args.length !== 1 || arg!.t === "star" || expr.filter !== null || expr.over !== null) {
      throw sqlError(sql, expr, `${spec.name} takes one argument`, `write ${spec.name}(${spec.param.name})`);
    }
    const name = one.alias ?? spec.name;
    found = { name, limit: query.limit, rows: (of) => expanded(of, name, spec.run(of[name]!, mode)) };
  }
  return found;
}

/** @param failed is told why a result gives no rows; the others do */
export function expandAll(
  results: readonly ObjectValue[],
  { rows, limit }: Expansion,
  failed: (error: unknown) => void,
): readonly ObjectValue[] {
  const all: ObjectValue[] = [];
  for (const result of results) {
    effort.parts(1);
    try {
      const made = rows(result);
      if (all.length + made.length > limits.windowRows)
        throw new RowError(`Cannot make rows: more than ${limits.windowRows} come out of one window`);
      for (const row of made) all.push(row);
    } catch (error) {
      failed(error);
    }
  }
  return limit === null ? all : all.slice(0, limit);
}

/** What is selected beside it, with each value: a struct's fields are columns, and win over those with their names. */
function expanded(of: ObjectValue, name: string, values: readonly Value[]): readonly ObjectValue[] {
  if (values.length > limits.ruleValueParts)
    throw new RowError(`Cannot make rows: ${values.length} of one, the limit is ${limits.ruleValueParts}`);
  const fields = Object.keys(of).length;
  return values.map((value) => {
    effort.fields(1 + fields);
    if (isObject(value)) effort.fields(Object.keys(value).length);
    const row = Object.assign(Object.create(null), of) as { [name: string]: Value };
    if (!isObject(value)) row[name] = value;
    else {
      delete row[name];
      Object.assign(row, value);
    }
    return row;
  });
}
