import type { Expr, Mode } from "../parse/ast.ts";
import { parseQuery } from "../parse/parse.ts";
import { sqlError } from "../parse/sql-error.ts";
import type { Evaluate, Frame } from "../run/frame.ts";
import type { Grouping } from "../run/groups.ts";
import type { Numbering } from "../run/number-rows.ts";
import type { SortKey } from "../run/sort-keys.ts";
import type { OffsetAt } from "../run/windows/alignment.ts";
import type { PlannedAnalytic } from "./compile-analytic.ts";
import type { CallParts } from "./compile-call.ts";
import { compileExpression, truthOf } from "./compile-expression.ts";
import { type PlannedJoin, planJoins } from "./plan-join.ts";
import { type Project, planProjection } from "./plan-projection.ts";
import { type PlannedWindow, planWindow } from "./plan-window.ts";
import { QueryScope } from "./query-scope.ts";
import { RowLayout } from "./row-layout.ts";
import type { Catalog, SourceLayout } from "./stream-schema.ts";

export interface QueryOptions extends Omit<CallParts, "sql"> {
  readonly sql: string;
  readonly mode: Mode;
  readonly catalog: Catalog;
  /** how much local time is ahead of UTC at a moment, both in microseconds */
  readonly offsetAt: OffsetAt;
}

/** A query as closures. */
export interface Plan {
  readonly mode: Mode;
  readonly sources: readonly SourceLayout[];
  /** of the rows of a window, before `where` */
  readonly joins: readonly PlannedJoin[];
  /** null: every row */
  readonly where: ((frame: Frame) => boolean) | null;
  /** null: every row gives a result by itself */
  readonly grouping: Grouping | null;
  /** computed for every row before `where`; their results stand in the row, after the columns */
  readonly analytics: readonly PlannedAnalytic[];
  /** null: every group */
  readonly having: ((frame: Frame) => boolean) | null;
  readonly numberings: readonly Numbering[];
  readonly orderBy: readonly SortKey[];
  readonly limit: number | null;
  /** null: every row by itself */
  readonly window: PlannedWindow | null;
  /** once for each run of the rule */
  startProjection(): Project;
}

/**
 * Reads and compiles a query.
 *
 * @throws AppError rules/bad-sql
 */
export function planQuery(options: QueryOptions): Plan {
  const { sql, mode, catalog } = options;
  const query = parseQuery(sql, mode);
  const layout = new RowLayout(sql, query, catalog);
  const scope = new QueryScope(query, layout, options);
  const where = query.where === null ? null : conditionOf(compileExpression(query.where, scope), "WHERE");
  const joins = planJoins({
    sql,
    query,
    sourcesOf: (expr) => scope.sourcesOf(expr),
    compile: (expr) => compileExpression(expr, scope),
  });
  const keys = query.groupBy.map((key) => compileExpression(key, scope));
  scope.takesAggregates = true;
  const startProjection = planProjection(query, { layout, scope, sql, mode });
  const having = query.having === null ? null : conditionOf(compileExpression(query.having, scope), "HAVING");
  const orderBy = query.orderBy.map(({ expr, isDescending }) => ({
    key: compileExpression(expr, scope),
    isDescending,
  }));
  scope.takesAggregates = false;
  const compile = (expr: Expr) => compileExpression(expr, scope);
  const window =
    query.window === null ? null : planWindow(query.window, { sql, mode, offsetAt: options.offsetAt, compile });
  const { aggregates } = scope;
  const isGrouped = keys.length > 0 || aggregates.length > 0;
  if (isGrouped && query.window === null && mode === "strict") {
    throw sqlError(
      sql,
      query.groupBy[0] ?? query,
      "rows are grouped without a window",
      "add TUMBLINGWINDOW(ss, 10) to GROUP BY",
    );
  }
  return {
    ...{
      mode,
      joins,
      where,
      having,
      orderBy,
      startProjection,
      analytics: scope.analytics,
      numberings: scope.numberings,
      sources: layout.finish(),
    },
    grouping: isGrouped ? { keys, aggregates } : null,
    limit: query.limit,
    window,
  };
}

function conditionOf(evaluate: Evaluate, where: string): (frame: Frame) => boolean {
  return (frame) => truthOf(evaluate(frame), where) === true;
}
