import { limits } from "@penstock/model";
import type { Expr, Mode, WindowClause } from "../parse/ast.ts";
import { sqlError } from "../parse/sql-error.ts";
import { type Evaluate, newFrame, type Row } from "../run/frame.ts";
import { keyText } from "../run/join-key.ts";
import type { RowBounds } from "../run/kept-rows.ts";
import { type Aligned, type OffsetAt, unitMicros } from "../run/windows/alignment.ts";
import { CountWindow } from "../run/windows/count-window.ts";
import { SessionWindow } from "../run/windows/session-window.ts";
import { SlidingWindow } from "../run/windows/sliding-window.ts";
import { StateWindow } from "../run/windows/state-window.ts";
import { TimedWindow } from "../run/windows/timed-window.ts";
import type { Window } from "../run/windows/window.ts";
import { RowError } from "../value/row-error.ts";
import { shown } from "../value/value.ts";
import { truthOf } from "./compile-expression.ts";

/** A window of a query, to be started. */
export interface PlannedWindow {
  /** null: every row */
  readonly filter: Evaluate | null;
  /** of a tumbling window, whose rows can be added up as they come; else null */
  readonly tumbles: Aligned | null;
  start(bounds: RowBounds): Window;
}

export interface WindowOptions {
  readonly sql: string;
  readonly mode: Mode;
  /** how much local time is ahead of UTC, both in microseconds */
  readonly offsetAt: OffsetAt;
  compile(expr: Expr): Evaluate;
}

/** @throws AppError rules/bad-sql for arguments that are none, and for clauses that the window does not have */
export function planWindow(clause: WindowClause, options: WindowOptions): PlannedWindow {
  const { sql, mode, offsetAt, compile } = options;
  const { kind, unit, args, over } = clause;
  const wrongOver =
    (over?.when != null && kind !== "sliding") ||
    ((over?.partition.length ?? 0) > 0 && kind !== "state") ||
    (over?.order.length ?? 0) > 0;
  if (wrongOver)
    throw sqlError(sql, over!, "OVER (WHEN …) is of sliding windows, OVER (PARTITION BY …) of state windows");
  const filter = clause.filter === null ? null : compile(clause.filter);
  const planned = (start: PlannedWindow["start"], tumbles: Aligned | null = null): PlannedWindow => ({
    filter,
    tumbles,
    start,
  });
  if (kind === "state") {
    const [begins, ends] = args.map((arg) => conditionOn(compile(arg)));
    const keys = (over?.partition ?? []).map((key) => compile(key));
    return planned(
      (bounds) => new StateWindow({ bounds, begins: begins!, ends: ends ?? null, keyOf: partitionOn(keys) }),
    );
  }
  const [first, second] = args.map((arg, at) =>
    countOf(arg, clause, { sql, least: kind === "sliding" && at === 1 ? 0 : 1 }),
  );
  if (kind === "count") {
    const every = second ?? first!;
    if (first! > limits.windowRows) throw sqlError(sql, clause, `the window is longer than ${limits.windowRows} rows`);
    if (every > first!)
      throw sqlError(
        sql,
        clause,
        `it cannot fire every ${every} rows of ${first}`,
        "the second number is at most the first",
      );
    return planned((bounds) => new CountWindow({ bounds, count: first!, every }));
  }
  const micros = (count: number) => count * unitMicros[unit!];
  if (micros(Math.max(first!, second ?? 0)) > limits.windowMicros)
    throw sqlError(sql, clause, "the window is longer than 366 days");
  const aligned = (count: number): Aligned => ({ unit: unit!, count, mode, offsetAt });
  switch (kind) {
    case "tumbling":
      return planned((bounds) => new TimedWindow({ bounds, hop: aligned(first!), length: first! }), aligned(first!));
    case "hopping":
      return planned((bounds) => new TimedWindow({ bounds, hop: aligned(second!), length: first! }));
    case "session":
      return planned(
        (bounds) =>
          new SessionWindow({ bounds, mostMicros: micros(first!), gapMicros: micros(second!), ticks: aligned(first!) }),
      );
    case "sliding": {
      const triggers = over?.when == null ? () => true : conditionOn(compile(over.when));
      return planned(
        (bounds) =>
          new SlidingWindow({ bounds, lengthMicros: micros(first!), delayMicros: micros(second ?? 0), triggers }),
      );
    }
  }
}

function countOf(
  arg: Expr,
  at: WindowClause,
  { sql, least }: { readonly sql: string; readonly least: number },
): number {
  if (arg.t === "literal" && typeof arg.value === "bigint" && arg.value >= least && arg.value <= 2 ** 53)
    return Number(arg.value);
  const value = arg.t === "literal" ? `, and is ${shown(arg.value)}` : "";
  throw sqlError(sql, arg, `a number of the ${at.kind} window must be a whole number from ${least}${value}`);
}

/** A condition that cannot be computed does not hold: the row stays in the window. */
function conditionOn(evaluate: Evaluate): (row: Row) => boolean {
  const frame = newFrame();
  return (row) => {
    frame.row = row;
    frame.now = row.at;
    try {
      return truthOf(evaluate(frame), "a window's condition") === true;
    } catch (error) {
      if (error instanceof RowError) return false;
      throw error;
    }
  };
}

function partitionOn(keys: readonly Evaluate[]): (row: Row) => string {
  const frame = newFrame();
  return (row) => {
    frame.row = row;
    frame.now = row.at;
    return keyText(keys.map((key) => key(frame)));
  };
}
