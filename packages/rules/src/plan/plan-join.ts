import { limits } from "@penstock/model";
import type { Expr, Join, JoinKind, Select } from "../parse/ast.ts";
import { sqlError } from "../parse/sql-error.ts";
import type { Evaluate } from "../run/frame.ts";
import type { StreamSchema, TableSchema } from "./stream-schema.ts";

/** Values that are equal on both sides wherever rows meet: they find each other without looking at all pairs. */
export interface EqualPair {
  readonly left: Evaluate;
  readonly right: Evaluate;
}

/** One join of a query: what is there so far with one more source. */
export interface PlannedJoin {
  readonly kind: JoinKind;
  /** of the source that is joined */
  readonly source: number;
  readonly equal: readonly EqualPair[];
  /** what else must hold of a pair; null: nothing */
  readonly rest: Evaluate | null;
  /** null: a stream, whose rows are in the window */
  readonly table: PlannedTable | null;
}

/** Where the rows of a joined table are: kept by the rule, or asked for by the columns of `equal`, in its order. */
export type PlannedTable =
  | { readonly t: "kept"; readonly rows: number; readonly key: { readonly place: number } | null; readonly is: string }
  | { readonly t: "asked"; readonly schema: StreamSchema; readonly columns: readonly string[] };

export interface JoinOptions {
  readonly sql: string;
  readonly query: Select;
  schemaOf(source: number): StreamSchema;
  /** where a column of a source stands */
  columnOf(source: number, name: string): { readonly place: number };
  /** sources that an expression looks at, by their places; null where that cannot be told */
  sourcesOf(expr: Expr): ReadonlySet<number> | null;
  compile(expr: Expr): Evaluate;
}

interface Pair {
  readonly left: Expr;
  readonly right: Expr;
}

/** @throws AppError rules/bad-sql where streams are joined without a window, and for what a table cannot do */
export function planJoins(options: JoinOptions): readonly PlannedJoin[] {
  const { sql, query, schemaOf } = options;
  if (schemaOf(0).table !== undefined)
    throw sqlError(sql, query.from, `"${query.from.name}" is a table`, "write a stream after FROM and JOIN the table");
  const stream = query.joins.find((_, at) => schemaOf(at + 1).table === undefined);
  if (stream !== undefined && query.window === null) {
    throw sqlError(sql, stream, "two streams are joined without a window", "add TUMBLINGWINDOW(ss, 10) to GROUP BY");
  }
  return query.joins.map((join, at) => planOne(join, at + 1, options));
}

function planOne(join: Join, source: number, options: JoinOptions): PlannedJoin {
  const { sql, schemaOf, sourcesOf, columnOf, compile } = options;
  const schema = schemaOf(source);
  const { table } = schema;
  const conditions = conditionsOf(join).map((expr) => ({ expr, pair: pairOf(expr, source, sourcesOf) }));
  const isAsked = table?.t === "lookup";
  // What is asked for is rows by their columns, so there a value that has to be computed is looked at afterwards.
  const isKey = (pair: Pair | null): pair is Pair => pair !== null && (!isAsked || pair.right.t === "name");
  const pairs = conditions.flatMap(({ pair }) => (isKey(pair) ? [pair] : []));
  const rest = conditions.filter(({ pair }) => !isKey(pair)).map(({ expr }) => compile(expr));
  if (isAsked || table?.t === "memory") {
    if (join.kind !== "inner" && join.kind !== "left")
      throw sqlError(sql, join, "a lookup table knows rows by their keys only", "write INNER JOIN or LEFT JOIN");
    if (pairs.length === 0)
      throw sqlError(sql, join, "a lookup table is asked by a column", "write ON stream.column = table.column");
  }
  const planned: PlannedTable | null =
    table === undefined
      ? null
      : table.t === "lookup"
        ? { t: "asked", schema, columns: pairs.map(({ right }) => (right.t === "name" ? right.name : "")) }
        : {
            ...{ t: "kept", rows: rowsOf(table), is: JSON.stringify(table) },
            key: table.key === null ? null : columnOf(source, table.key),
          };
  return {
    ...{ kind: join.kind, source, table: planned },
    equal: pairs.map((pair) => ({ left: compile(pair.left), right: compile(pair.right) })),
    rest: rest.length === 0 ? null : (frame) => rest.every((one) => one(frame) === true),
  };
}

function rowsOf(table: Exclude<TableSchema, { t: "lookup" }>): number {
  if (table.t === "scan" && table.rows !== null) return table.rows;
  return table.key === null && table.t === "scan" ? 1 : limits.windowRows;
}

function conditionsOf({ on }: Join): readonly Expr[] {
  if (on === null) return [];
  return on.t === "logical" && on.op === "and" ? on.of : [on];
}

/** `a.x = b.y`, with the joined source on one side and those before it on the other. */
function pairOf(expr: Expr, source: number, sourcesOf: JoinOptions["sourcesOf"]): Pair | null {
  if (expr.t !== "binary" || expr.op !== "=") return null;
  const sides = [sourcesOf(expr.left), sourcesOf(expr.right)];
  const isJoined = (side: ReadonlySet<number> | null) => side !== null && side.size === 1 && side.has(source);
  const isBefore = (side: ReadonlySet<number> | null) =>
    side !== null && side.size > 0 && [...side].every((one) => one < source);
  if (isBefore(sides[0]!) && isJoined(sides[1]!)) return { left: expr.left, right: expr.right };
  if (isBefore(sides[1]!) && isJoined(sides[0]!)) return { left: expr.right, right: expr.left };
  return null;
}
