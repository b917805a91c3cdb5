import { checkArgument, countProblem, paramAt } from "../functions/check-arguments.ts";
import type { Accumulator, AggregateFunction } from "../functions/define-aggregate.ts";
import type { Call, Expr, Mode, Star } from "../parse/ast.ts";
import { sqlError } from "../parse/sql-error.ts";
import type { Evaluate, Frame } from "../run/frame.ts";
import type { Value } from "../value/value.ts";
import { usage } from "./compile-call.ts";
import { truthOf } from "./compile-expression.ts";

/** A call of an aggregate in a query; its result stands in the frame, at its place. */
export interface PlannedAggregate {
  /** same text: same call of the same columns, so that one's sums are the other's */
  readonly fingerprint: string;
  readonly keeps: boolean;
  start(): Accumulator;
  /** adds the frame's row @throws RowError */
  add(to: Accumulator, frame: Frame): void;
}

/** @throws AppError rules/bad-sql when it has too few or too many arguments, or an OVER */
export function planAggregate(
  call: Call,
  of: {
    readonly spec: AggregateFunction;
    readonly sql: string;
    readonly mode: Mode;
    readonly fingerprint: string;
    compile(expr: Expr): Evaluate;
    wholeRow(star: Star): Evaluate;
  },
): PlannedAggregate {
  const { spec, sql, mode, fingerprint, compile, wholeRow } = of;
  const { name, params, takesNull, takesStar } = spec;
  if (call.over !== null) throw sqlError(sql, call.over, `${call.name} takes no OVER`);
  const problem = countProblem(spec, call.args.length);
  if (problem !== null) throw sqlError(sql, call, problem, usage(spec));
  const args = call.args.map((arg, at) => {
    if (arg.t !== "star") return compile(arg);
    if (at > 0 || takesStar !== true) throw sqlError(sql, arg, `${call.name} takes no *`, usage(spec));
    return wholeRow(arg);
  });
  const filter = call.filter === null ? null : compile(call.filter);
  return {
    fingerprint,
    keeps: spec.keeps === true,
    start: () => spec.start({ mode }),
    add(to, frame) {
      if (filter !== null && truthOf(filter(frame), "FILTER") !== true) return;
      const values: Value[] = [];
      for (let at = 0; at < args.length; at++) values.push(checkArgument(name, paramAt(params, at), args[at]!(frame)));
      if (values[0] === null && takesNull !== true) return;
      to.add(values);
    },
  };
}
