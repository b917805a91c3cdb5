import { checkArgument, countProblem, paramAt } from "../functions/check-arguments.ts";
import { countCompiling, counted } from "../functions/counted.ts";
import type { CallContext, HostFunctions, Param, ScalarFunction } from "../functions/define-function.ts";
import type { Call, Expr, Mode } from "../parse/ast.ts";
import { sqlError } from "../parse/sql-error.ts";
import type { Evaluate, Frame } from "../run/frame.ts";
import { newFrame } from "../run/frame.ts";
import { RowError } from "../value/row-error.ts";
import type { Value } from "../value/value.ts";

/** What all calls of a rule share. */
export interface CallParts {
  readonly sql: string;
  readonly mode: Mode;
  readonly ruleId: string;
  /** when the rule was started, microseconds */
  readonly startedAt: number;
  readonly timeZone: string;
  readonly host: HostFunctions;
}

/**
 * A call of a scalar function. What does not depend on the row is computed once.
 *
 * @throws AppError rules/bad-sql when it has too few or too many arguments
 */
export function compileScalar(
  call: Call,
  of: {
    readonly spec: ScalarFunction;
    readonly parts: CallParts;
    readonly compile: (expr: Expr) => Evaluate;
    readonly functionNamed: CallContext["functionNamed"];
  },
): Evaluate {
  const { spec, parts, compile, functionNamed } = of;
  const { sql, mode, ruleId, timeZone, host } = parts;
  if (call.filter !== null || call.over !== null) {
    throw sqlError(sql, call, `${call.name} takes no ${call.filter === null ? "OVER" : "FILTER"}`);
  }
  const problem = countProblem(spec, call.args.length);
  if (problem !== null) throw sqlError(sql, call, problem, usage(spec));
  const checkLiteral = (value: Value, param: Param) => {
    try {
      checkArgument(spec.name, param, value);
    } catch (error) {
      if (error instanceof RowError) throw sqlError(sql, call, error.message, usage(spec));
      throw error;
    }
  };
  const args = call.args.map((arg, at) => {
    if (arg.t === "star") throw sqlError(sql, arg, `${call.name} takes no *`, usage(spec));
    if (arg.t === "literal") checkLiteral(arg.value, paramAt(spec.params, at));
    return compile(arg);
  });
  checkLiterals(call, spec, parts);
  const context: { -readonly [key in keyof CallContext]: CallContext[key] } = {
    mode,
    ruleId,
    timeZone,
    host,
    functionNamed,
    now: 0,
  };
  const { name, params, run, takesNull } = spec;
  const compiled = spec.compiles === undefined || call.args[spec.compiles]?.t === "literal" ? null : spec.compiles;
  const evaluate = (frame: Frame): Value => {
    const values: Value[] = [];
    for (let at = 0; at < args.length; at++) {
      const value = checkArgument(name, paramAt(params, at), args[at]!(frame));
      if (value === null && takesNull !== true) return null;
      values.push(value);
    }
    context.now = frame.now;
    if (compiled !== null) countCompiling(values[compiled]);
    return counted(run, values, context);
  };
  const isConstant = spec.isPure !== false && call.args.every(({ t }) => t === "literal");
  if (!isConstant) return evaluate;
  try {
    const value = evaluate(newFrame());
    return () => value;
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    // It would be an error of every row.
    if (mode === "strict") throw sqlError(sql, call, error.message);
    return evaluate;
  }
}

/** What is written in the query and would be an error of every row is refused when the rule is saved. */
function checkLiterals(call: Call, spec: ScalarFunction, { sql, mode, timeZone }: CallParts): void {
  if (spec.check === undefined) return;
  const literals = call.args.map((arg) => (arg.t === "literal" ? arg.value : undefined));
  try {
    spec.check(literals, { mode, timeZone });
  } catch (error) {
    if (error instanceof RowError) throw sqlError(sql, call, error.message);
    throw error;
  }
}

/** "lpad(text, length[, with])" */
export function usage({ name, params }: Pick<ScalarFunction, "name" | "params">): string {
  const shown = params.map(({ name: param, isOptional, repeats }, at) => {
    const text = `${at === 0 ? "" : ", "}${param}${repeats === undefined ? "" : ", …"}`;
    return isOptional === true ? `[${text}]` : text;
  });
  return `write ${name}(${shown.join("")})`;
}
