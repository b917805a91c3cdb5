import type { Expr, Join, JoinKind, Select } from "../parse/ast.ts";
import { sqlError } from "../parse/sql-error.ts";
import type { Evaluate } from "../run/frame.ts";

/** One join of a query: what is there so far with one more source. */
export interface PlannedJoin {
  readonly kind: JoinKind;
  /** of the source that is joined */
  readonly source: number;
  /** values that are equal on both sides wherever rows meet: they find each other without looking at all pairs */
  readonly equal: readonly { readonly left: Evaluate; readonly right: Evaluate }[];
  /** what else must hold of a pair; null: nothing */
  readonly rest: Evaluate | null;
}

export interface JoinOptions {
  readonly sql: string;
  readonly query: Select;
  /** sources that an expression looks at, by their places; null where that cannot be told */
  sourcesOf(expr: Expr): ReadonlySet<number> | null;
  compile(expr: Expr): Evaluate;
}

/** @throws AppError rules/bad-sql where streams are joined without a window */
export function planJoins({ sql, query, sourcesOf, compile }: JoinOptions): readonly PlannedJoin[] {
  const [first] = query.joins;
  if (first !== undefined && query.window === null) {
    throw sqlError(sql, first, "two streams are joined without a window", "add TUMBLINGWINDOW(ss, 10) to GROUP BY");
  }
  return query.joins.map((join, at) => {
    const source = at + 1;
    const conditions = conditionsOf(join);
    const pairs = conditions.map((one) => pairOf(one, source, sourcesOf));
    const rest = conditions.filter((_, i) => pairs[i] === null).map(compile);
    return {
      kind: join.kind,
      source,
      equal: pairs.flatMap((pair) => (pair === null ? [] : [{ left: compile(pair.left), right: compile(pair.right) }])),
      rest: rest.length === 0 ? null : (frame) => rest.every((one) => one(frame) === true),
    };
  });
}

function conditionsOf({ on }: Join): readonly Expr[] {
  if (on === null) return [];
  return on.t === "logical" && on.op === "and" ? on.of : [on];
}

/** `a.x = b.y`, with the joined source on one side and those before it on the other. */
function pairOf(
  expr: Expr,
  source: number,
  sourcesOf: JoinOptions["sourcesOf"],
): { readonly left: Expr; readonly right: Expr } | null {
  if (expr.t !== "binary" || expr.op !== "=") return null;
  const sides = [sourcesOf(expr.left), sourcesOf(expr.right)];
  const isJoined = (side: ReadonlySet<number> | null) => side !== null && side.size === 1 && side.has(source);
  const isBefore = (side: ReadonlySet<number> | null) =>
    side !== null && side.size > 0 && [...side].every((one) => one < source);
  if (isBefore(sides[0]!) && isJoined(sides[1]!)) return { left: expr.left, right: expr.right };
  if (isBefore(sides[1]!) && isJoined(sides[0]!)) return { left: expr.right, right: expr.left };
  return null;
}
