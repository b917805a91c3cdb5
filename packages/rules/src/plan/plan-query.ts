import type { Expr, Mode } from "../parse/ast.ts";
import { parseQuery } from "../parse/parse.ts";
import { sqlError } from "../parse/sql-error.ts";
import { tokenize } from "../parse/token.ts";
import type { Evaluate, Frame } from "../run/frame.ts";
import type { Grouping } from "../run/groups.ts";
import type { Numbering } from "../run/number-rows.ts";
import type { SortKey } from "../run/sort-keys.ts";
import type { OffsetAt } from "../run/windows/alignment.ts";
import type { PlannedAnalytic } from "./compile-analytic.ts";
import type { CallParts } from "./compile-call.ts";
import { compileExpression, truthOf } from "./compile-expression.ts";
import { type Expansion, planExpansion } from "./plan-expansion.ts";
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
  /** results go without the columns that are null; left out: in compat mode, as eKuiper's do without `sendNilField` */
  readonly omitNull?: boolean;
  /** how much local time is ahead of UTC at a moment, both in microseconds */
  readonly offsetAt: OffsetAt;
}

/** Of the parts of a query that remember something, beside analytic calls and aggregates. */
export interface Fingerprints {
  /** of the whole text */
  readonly query: string;
  /** of what chooses the rows that count as hits */
  readonly hits: string;
  /** of what chooses and cuts the rows of the window */
  readonly window: string;
  readonly keys: string;
  /** of the sources of the query, for those of them that are tables */
  readonly tables: readonly string[];
  /** one for each value of a row, in its place: kept rows fit where each value that is wanted was kept */
  readonly values: readonly string[];
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
  /** where windows tumble, rows are added up as they come and not kept */
  readonly isAddedUp: boolean;
  /** computed for every row before `where`; their results stand in the row, after the columns */
  readonly analytics: readonly PlannedAnalytic[];
  /** null: every group */
  readonly having: ((frame: Frame) => boolean) | null;
  readonly numberings: readonly Numbering[];
  readonly orderBy: readonly SortKey[];
  /** of a result set; null: all, also where a result becomes several rows, which are then cut off */
  readonly limit: number | null;
  /** null: every result is one row */
  readonly expansion: Expansion | null;
  /** columns that are null are left out of results */
  readonly omitsNull: boolean;
  /** null: every row by itself */
  readonly window: PlannedWindow | null;
  readonly fingerprints: Fingerprints;
  /** units of work that one look at a row costs */
  readonly rowUnits: number;
  /** true: a row's results depend on rows before it, or on how many there were */
  readonly hasState: boolean;
  /** when the rule began, microseconds: a rule that goes on after a restart began before it */
  readonly began: { startedAt: number };
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
  const parts = { ...options };
  const scope = new QueryScope(query, layout, parts);
  const where = query.where === null ? null : conditionOf(compileExpression(query.where, scope), "WHERE");
  const joins = planJoins({
    sql,
    query,
    schemaOf: (source) => layout.schemaOf(source),
    columnOf: (source, name) => layout.cell(source, { t: "column", name }),
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
  const expansion = planExpansion(query, { sql, mode });
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
  const sources = layout.finish(scope.times);
  const { fingerprint } = scope;
  const isAddedUp = isGrouped && joins.length === 0 && !aggregates.some(({ keeps }) => keeps);
  const chosen = query.joins.length === 0 ? query.where : null;
  return {
    began: parts,
    rowUnits: 5 + (tokenize(sql, mode).length >> 1),
    hasState:
      window !== null || scope.analytics.length > 0 || scope.remembers || joins.some(({ table }) => table !== null),
    fingerprints: {
      query: fingerprint(query),
      hits: fingerprint("hits", query.where, query.window, query.having),
      window: fingerprint("window", query.window, chosen, options.timeZone, isAddedUp),
      keys: fingerprint("keys", query.groupBy),
      tables: [query.from, ...query.joins.map((one) => one.source)].map((one) => fingerprint("table", one)),
      values: [
        ...sources.flatMap(({ source, columns }) =>
          columns.map((column) => fingerprint("value", source, column, layout.typeOf(source, column))),
        ),
        ...scope.analytics.map((one) => one.fingerprint),
      ],
    },
    ...{
      mode,
      joins,
      where,
      having,
      orderBy,
      startProjection,
      analytics: scope.analytics,
      numberings: scope.numberings,
      sources,
    },
    isAddedUp,
    grouping: isGrouped ? { keys, aggregates } : null,
    limit: expansion === null ? query.limit : null,
    expansion,
    omitsNull: options.omitNull ?? mode === "compat",
    window,
  };
}

function conditionOf(evaluate: Evaluate, where: string): (frame: Frame) => boolean {
  return (frame) => truthOf(evaluate(frame), where) === true;
}
