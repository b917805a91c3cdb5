import { limits } from "@penstock/model";
import type { Call, Expr, Field, Mode, Select, Star } from "../parse/ast.ts";
import { sqlError } from "../parse/sql-error.ts";
import { effort } from "../run/effort.ts";
import type { Evaluate, Frame } from "../run/frame.ts";
import { isSame } from "../value/compare.ts";
import { RowError } from "../value/row-error.ts";
import { type Remembering, restoreEach, type Saved, type Stateful, saveEach } from "../value/saved.ts";
import { isObject, type ObjectValue, shown, type Value } from "../value/value.ts";
import { compileExpression } from "./compile-expression.ts";
import { rowsFunctionOf } from "./plan-expansion.ts";
import type { QueryScope } from "./query-scope.ts";
import type { RowLayout } from "./row-layout.ts";

/** The select list of a running rule. It remembers what `changed_cols` gave last. */
export interface Project extends Stateful {
  row(frame: Frame): ObjectValue;
}
type Into = { [name: string]: Value };
type Put = (into: Into, frame: Frame) => void;
interface RunningPut {
  readonly put: Put;
  /** null: it remembers nothing */
  readonly memory: Remembering | null;
}

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
  const plans = query.fields.flatMap((one): (() => RunningPut)[] => {
    if (!("expr" in one)) {
      const put = compileStar(one, parts);
      return [() => ({ put, memory: null })];
    }
    if (one.isInvisible) return [];
    if (one.expr.t === "call" && one.expr.name.toLowerCase() === "changed_cols")
      return [planChangedCols(one.expr, parts)];
    const name = one.alias ?? nameOf(one.expr) ?? `kuiper_field_${unnamed++}`;
    if (one.alias === null && nameOf(one.expr) === null && mode === "strict") {
      throw sqlError(sql, one, "the expression has no name", "write AS and a name after it");
    }
    const evaluate = evaluateOf(one, scope);
    const put: Put = (into, frame) => {
      into[name] = evaluate(frame);
    };
    return [() => ({ put, memory: null })];
  });
  return () => {
    const running = plans.map((start) => start());
    const puts = running.map(({ put }) => put);
    const memories = running.flatMap(({ memory }) => (memory === null ? [] : [memory]));
    return {
      row(frame) {
        // No name of a column is one of the language's own.
        const into: Into = Object.create(null) as Into;
        for (const put of puts) put(into, frame);
        return into;
      },
      save: () => saveEach(memories),
      restore: (saved) => restoreEach(memories, saved),
    };
  };
}

/** Of a call that makes rows, what it makes them of: they are made of the result. */
function evaluateOf(field: Field, scope: QueryScope): Evaluate {
  const { expr, alias } = field;
  const [arg] = expr.t === "call" && rowsFunctionOf(expr) !== null ? expr.args : [];
  if (arg !== undefined && arg.t !== "star") return compileExpression(arg, scope);
  return alias === null ? compileExpression(expr, scope) : scope.alias(field);
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
      let fields = 0;
      for (const name in all) {
        fields++;
        if (!left.has(name)) into[name] = all[name]!;
      }
      effort.fields(fields);
    }
    for (const { name, evaluate } of replaced) into[name] = evaluate(frame);
  };
}

/**
 * `changed_cols(prefix, ignoreNull, column, …)`: the columns whose values are others than in the last row that was put out,
 * each with the prefix before its name.
 */
function planChangedCols(call: Call, { layout, scope, sql }: Parts): () => RunningPut {
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
      evaluate({ row }: Frame) {
        const all = Object.assign({}, ...wholes.map(({ place }) => row.values[place])) as ObjectValue;
        effort.fields(2 * Object.keys(all).length);
        return all;
      },
    };
  });
  const before = prefix.value;
  const passesNull = !ignoreNull.value;
  const fingerprint = scope.fingerprint(call);
  scope.remembers = true;
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
    const put: Put = (into, frame) => {
      for (const { name, evaluate } of read) {
        const value = evaluate(frame);
        if (name !== null) look(into, name, value);
        else if (isObject(value)) for (const [inner, one] of Object.entries(value)) look(into, inner, one);
        else throw new RowError(`Cannot call changed_cols: ${shown(value)} is no row`);
      }
    };
    const memory = {
      fingerprint,
      save: () => [...last].map((entry): Value => entry),
      restore(saved: Saved) {
        for (const [name, value] of saved as unknown as readonly [string, Value][]) last.set(name, value);
      },
    };
    return { put, memory };
  };
}
