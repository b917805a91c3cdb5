import { limits } from "@penstock/model";
import type { Call, Expr, Mode, Select, Star } from "../parse/ast.ts";
import { sqlError } from "../parse/sql-error.ts";
import type { Frame } from "../run/frame.ts";
import { isSame } from "../value/compare.ts";
import { RowError } from "../value/row-error.ts";
import { isObject, type ObjectValue, shown, type Value } from "../value/value.ts";
import { compileExpression } from "./compile-expression.ts";
import type { QueryScope } from "./query-scope.ts";
import type { RowLayout } from "./row-layout.ts";

export type Project = (frame: Frame) => ObjectValue;
type Into = { [name: string]: Value };
type Put = (into: Into, frame: Frame) => void;

interface Parts {
  readonly layout: RowLayout;
  readonly scope: QueryScope;
  readonly sql: string;
  readonly mode: Mode;
}

/** The select list. @throws AppError rules/bad-sql */
export function planProjection(query: Select, parts: Parts): () => Project {
  const { scope, sql, mode } = parts;
  let unnamed = 0;
  const plans = query.fields.flatMap((one): (() => Put)[] => {
    if (!("expr" in one)) {
      const put = compileStar(one, parts);
      return [() => put];
    }
    if (one.isInvisible) return [];
    if (one.expr.t === "call" && one.expr.name.toLowerCase() === "changed_cols")
      return [planChangedCols(one.expr, parts)];
    const name = one.alias ?? nameOf(one.expr) ?? `kuiper_field_${unnamed++}`;
    if (one.alias === null && nameOf(one.expr) === null && mode === "strict") {
      throw sqlError(sql, one, "the expression has no name", "write AS and a name after it");
    }
    const evaluate = one.alias === null ? compileExpression(one.expr, scope) : scope.alias(one);
    const put: Put = (into, frame) => {
      into[name] = evaluate(frame);
    };
    return [() => put];
  });
  return () => {
    const puts = plans.map((start) => start());
    return (frame) => {
      // No name of a column is one of the language's own.
      const into: Into = Object.create(null) as Into;
      for (const put of puts) put(into, frame);
      return into;
    };
  };
}

/** An unaliased column has its own name, an unaliased call the function's. */
function nameOf(expr: Expr): string | null {
  if (expr.t === "name" || expr.t === "member") return expr.name;
  return expr.t === "call" ? expr.name.toLowerCase() : null;
}

function compileStar(star: Star, { layout, scope, sql }: Parts): Put {
  const sources = layout.aliases.flatMap((alias, at) => (star.source === null || star.source === alias ? [at] : []));
  if (sources.length === 0) throw sqlError(sql, star, `there is no stream "${star.source}"`);
  const replaced = star.replace.map((field) => ({ name: field.alias!, evaluate: scope.alias(field) }));
  const left = new Set(star.except.filter((name) => !replaced.some((one) => one.name === name)));
  const wholes = sources.map((source) => layout.cell(source, { t: "all" }));
  return (into, frame) => {
    for (const { place } of wholes) {
      const all = frame.row.values[place] as ObjectValue | null;
      for (const name in all) if (!left.has(name)) into[name] = all[name]!;
    }
    for (const { name, evaluate } of replaced) into[name] = evaluate(frame);
  };
}

/**
 * `changed_cols(prefix, ignoreNull, column, …)`: the columns whose values are others than in the last row that was put out,
 * each with the prefix before its name.
 */
function planChangedCols(call: Call, { layout, scope, sql }: Parts): () => Put {
  const [prefix, ignoreNull, ...columns] = call.args;
  if (prefix === undefined || ignoreNull === undefined || columns.length === 0) {
    throw sqlError(
      sql,
      call,
      "changed_cols takes a prefix, ignoreNull and columns",
      "write changed_cols('c_', true, a, b) or changed_cols('', true, *)",
    );
  }
  if (prefix.t !== "literal" || typeof prefix.value !== "string")
    throw sqlError(sql, prefix, "the prefix is a text that does not change");
  if (ignoreNull.t !== "literal" || typeof ignoreNull.value !== "boolean")
    throw sqlError(sql, ignoreNull, "ignoreNull is TRUE or FALSE");
  const read = columns.map((one) => {
    if (one.t !== "star")
      return { name: nameOf(one) ?? sql.slice(one.start, one.end), evaluate: compileExpression(one, scope) };
    const wholes = layout.aliases.map((_, source) => layout.cell(source, { t: "all" }));
    return {
      name: null,
      evaluate: ({ row }: Frame) => Object.assign({}, ...wholes.map(({ place }) => row.values[place])) as ObjectValue,
    };
  });
  const before = prefix.value;
  const passesNull = !ignoreNull.value;
  return () => {
    const last = new Map<string, Value>();
    const look = (into: Into, name: string, value: Value) => {
      if (value === null && !passesNull) return;
      if (last.has(name) && isSame(last.get(name)!, value)) return;
      if (last.size >= limits.propertiesPerDevice)
        throw new RowError(`Cannot call changed_cols: more than ${limits.propertiesPerDevice} columns`);
      last.set(name, value);
      into[before + name] = value;
    };
    return (into, frame) => {
      for (const { name, evaluate } of read) {
        const value = evaluate(frame);
        if (name !== null) look(into, name, value);
        else if (isObject(value)) for (const [inner, one] of Object.entries(value)) look(into, inner, one);
        else throw new RowError(`Cannot call changed_cols: ${shown(value)} is no row`);
      }
    };
  };
}
