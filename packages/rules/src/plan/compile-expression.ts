import type { Binary, Call, Case, ComparisonOp, Expr, Logical, Mode, Name } from "../parse/ast.ts";
import type { Evaluate } from "../run/frame.ts";
import { calculate } from "../value/arithmetic.ts";
import { compares, isSame, type TimeTexts } from "../value/compare.ts";
import { RowError } from "../value/row-error.ts";
import { kindOf, shown, type Value } from "../value/value.ts";
import { elementOf, memberOf, sliceOf } from "./compile-access.ts";
import { compileLike } from "./compile-like.ts";

/** What the names and calls of a query mean; the plan knows. */
export interface Scope {
  readonly mode: Mode;
  /** how texts are read that stand beside moments */
  readonly times: TimeTexts;
  name(name: Name): Evaluate;
  call(call: Call, compile: (expr: Expr) => Evaluate): Evaluate;
}

/**
 * Makes a closure of an expression, once, so that nothing is looked up for a row.
 *
 * @throws AppError rules/bad-sql for what the scope does not know
 */
export function compileExpression(expr: Expr, scope: Scope): Evaluate {
  const { mode, times } = scope;
  const compile = (one: Expr) => compileExpression(one, scope);
  switch (expr.t) {
    case "literal": {
      const { value } = expr;
      return () => value;
    }
    case "name":
      return scope.name(expr);
    case "call":
      return scope.call(expr, compile);
    case "binary":
      return compileBinary(expr, scope, compile);
    case "logical":
      return compileLogical(expr, mode, compile);
    case "unary": {
      const of = compile(expr.of);
      if (expr.op === "-") return (frame) => calculate("-", 0n, of(frame), mode);
      return (frame) => {
        const truth = truthOf(of(frame), "NOT");
        return truth === null ? null : !truth;
      };
    }
    case "isNull": {
      const of = compile(expr.of);
      const { isNot } = expr;
      return (frame) => isNil(of(frame)) !== isNot;
    }
    case "between": {
      const [of, low, high] = [compile(expr.of), compile(expr.low), compile(expr.high)];
      const { isNot } = expr;
      const unknown = mode === "compat" ? false : null;
      return (frame) => {
        const [value, least, most] = [of(frame), low(frame), high(frame)];
        if (isNil(value) || isNil(least) || isNil(most)) return unknown;
        return (compares(">=", value, least, times) && compares("<=", value, most, times)) !== isNot;
      };
    }
    case "in":
      return compileIn(expr, mode, compile);
    case "like":
      return compileLike(expr, mode, compile);
    case "case":
      return compileCase(expr, compile);
    case "member": {
      const of = compile(expr.of);
      const { name } = expr;
      return (frame) => memberOf(of(frame), name);
    }
    case "element": {
      const [of, index] = [compile(expr.of), compile(expr.index)];
      return (frame) => elementOf(of(frame), index(frame));
    }
    case "slice": {
      const of = compile(expr.of);
      const [from, to] = [expr.from, expr.to].map((bound) => (bound === null ? null : compile(bound)));
      return (frame) => sliceOf(of(frame), from?.(frame) ?? null, to?.(frame) ?? null, mode);
    }
  }
}

function isNil(value: Value): value is null {
  return value === null || value === undefined;
}

/** @param where the operator, for the message @throws RowError for what is neither true, false nor null */
export function truthOf(value: Value, where: string): boolean | null {
  if (typeof value === "boolean") return value;
  if (isNil(value)) return null;
  throw new RowError(`Cannot use ${kindOf(value)} ${shown(value)} with ${where}: it must be true or false`);
}

function isComparison(op: Binary["op"]): op is ComparisonOp {
  return op === "=" || op === "!=" || op === "<" || op === "<=" || op === ">" || op === ">=";
}

function compileBinary(expr: Binary, { mode, times }: Scope, compile: (expr: Expr) => Evaluate): Evaluate {
  const { op } = expr;
  const [left, right] = [compile(expr.left), compile(expr.right)];
  if (!isComparison(op)) return (frame) => calculate(op, left(frame), right(frame), mode);
  const unknown = mode === "compat" ? false : null;
  const slow = (a: Value, b: Value) => (isNil(a) || isNil(b) ? unknown : compares(op, a, b, times));
  // What most rules are made of: a number against a number that does not change.
  if (expr.right.t === "literal" && (typeof expr.right.value === "bigint" || typeof expr.right.value === "number")) {
    const literal = expr.right.value;
    const asNumber = Number(literal);
    if (BigInt(Math.trunc(asNumber)) === literal || typeof literal === "number") {
      return compileAgainst({ op, left, number: asNumber, otherwise: (value) => slow(value, literal) });
    }
  }
  return (frame) => slow(left(frame), right(frame));
}

/** One closure for each operator, so that the engine of the language sees through them. */
function compileAgainst(of: {
  readonly op: ComparisonOp;
  readonly left: Evaluate;
  readonly number: number;
  readonly otherwise: (value: Value) => boolean | null;
}): Evaluate {
  const { op, left, number, otherwise } = of;
  switch (op) {
    case ">":
      return (frame) => {
        const value = left(frame);
        return typeof value === "number" ? value > number : otherwise(value);
      };
    case ">=":
      return (frame) => {
        const value = left(frame);
        return typeof value === "number" ? value >= number : otherwise(value);
      };
    case "<":
      return (frame) => {
        const value = left(frame);
        return typeof value === "number" ? value < number : otherwise(value);
      };
    case "<=":
      return (frame) => {
        const value = left(frame);
        return typeof value === "number" ? value <= number : otherwise(value);
      };
    case "=":
      return (frame) => {
        const value = left(frame);
        return typeof value === "number" ? value === number : otherwise(value);
      };
    case "!=":
      return (frame) => {
        const value = left(frame);
        return typeof value === "number" ? value !== number : otherwise(value);
      };
  }
}

/**
 * In strict mode null means unknown, as SQL has it: false AND null is false, true AND null is null. In compat mode null
 * makes its pair false, so that null OR true is false, and true OR null, which is not evaluated so far, is true.
 */
function compileLogical({ op, of }: Logical, mode: Mode, compile: (expr: Expr) => Evaluate): Evaluate {
  const parts = of.map(compile);
  const where = op.toUpperCase();
  /** the value that ends it */
  const decides = op === "or";
  const [first, ...rest] = parts as [Evaluate, ...Evaluate[]];
  if (mode === "compat") {
    return (frame) => {
      let truth = truthOf(first(frame), where);
      for (const part of rest) {
        if (truth === decides) return decides;
        const next = truthOf(part(frame), where);
        truth = truth === null || next === null ? false : next;
      }
      return truth;
    };
  }
  return (frame) => {
    let isUnknown = false;
    for (const part of parts) {
      const truth = truthOf(part(frame), where);
      if (truth === decides) return decides;
      if (truth === null) isUnknown = true;
    }
    return isUnknown ? null : !decides;
  };
}

/**
 * In compat mode null on the left is in nothing and outside of nothing, and outside of null is everything; in strict mode
 * null is unknown, and so is what is not found beside a null.
 */
function compileIn(expr: Extract<Expr, { t: "in" }>, mode: Mode, compile: (expr: Expr) => Evaluate): Evaluate {
  const of = compile(expr.of);
  const { isNot, among } = expr;
  const values: (frame: Parameters<Evaluate>[0]) => readonly Value[] | null =
    "list" in among ? listOf(among.list.map(compile)) : arrayOf(compile(among.array));
  return (frame) => {
    const value = of(frame);
    if (isNil(value)) return mode === "compat" ? false : null;
    const all = values(frame);
    if (all === null) return mode === "compat" ? isNot : null;
    if (all.some((one) => !isNil(one) && isSame(value, one))) return !isNot;
    return mode === "strict" && all.some(isNil) ? null : isNot;
  };
}

function listOf(items: readonly Evaluate[]): (frame: Parameters<Evaluate>[0]) => readonly Value[] {
  return (frame) => items.map((item) => item(frame));
}

function arrayOf(array: Evaluate): (frame: Parameters<Evaluate>[0]) => readonly Value[] | null {
  return (frame) => {
    const found = array(frame);
    if (isNil(found)) return null;
    if (!Array.isArray(found)) throw new RowError(`Cannot look in ${kindOf(found)} ${shown(found)}: IN takes an array`);
    return found as readonly Value[];
  };
}

function compileCase({ of, branches, otherwise }: Case, compile: (expr: Expr) => Evaluate): Evaluate {
  const compared = of === null ? null : compile(of);
  const made = branches.map(({ when, value }) => ({ when: compile(when), value: compile(value) }));
  const rest = otherwise === null ? null : compile(otherwise);
  return (frame) => {
    const against = compared?.(frame) ?? null;
    for (const { when, value } of made) {
      const found = when(frame);
      const isChosen =
        compared === null
          ? truthOf(found, "WHEN") === true
          : !isNil(against) && !isNil(found) && isSame(against, found);
      if (isChosen) return value(frame);
    }
    return rest === null ? null : rest(frame);
  };
}
