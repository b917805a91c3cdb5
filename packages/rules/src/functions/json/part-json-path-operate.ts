import type { Mode } from "../../parse/ast.ts";
import { effort } from "../../run/effort.ts";
import { isSame, order } from "../../value/compare.ts";
import { isObject, kindOf, type Value } from "../../value/value.ts";
import { goText } from "../text/part-go-text.ts";
import { regexpOf } from "../text/part-regexp.ts";
import { charge, Missing, type PathRun } from "./part-json-path-state.ts";

/**
 * Two values under an operator. Strict: what has no value compares as false, and nothing is taken for what it is not.
 * Compat: "5" is 5, null and 0 are false, and what has no value is an error, which drops the element in a filter.
 *
 * @source PaesslerAG/gval 1.2, gval.go and operator.go
 */
export function operate(
  op: string,
  {
    left,
    right,
    run,
  }: { readonly left: Value | Missing; readonly right: () => Value | Missing; readonly run: PathRun },
): Value | Missing {
  const { mode } = run;
  if (op === "&&" || op === "||") return logical(op, left, right, mode);
  if (op === "??") return left instanceof Missing || left === null ? right() : left;
  const other = right();
  if (left instanceof Missing || other instanceof Missing) {
    if (mode === "strict" && /^[=!<>]|^in$/.test(op)) return op.startsWith("!");
    return left instanceof Missing ? left : other;
  }
  switch (op) {
    case "==":
      return same(left, other, run);
    case "!=":
      return !same(left, other, run);
    case "in":
      return Array.isArray(other) && (other as readonly Value[]).some((one) => same(left, one, run));
    case "=~":
    case "!~": {
      const found = matches(left, other, run);
      return found instanceof Missing ? found : found === (op === "=~");
    }
    case "<":
    case "<=":
    case ">":
    case ">=":
      return compares(op, left, other, run);
    default:
      return calculated(op, left, other, run);
  }
}

function logical(op: "&&" | "||", left: Value | Missing, right: () => Value | Missing, mode: Mode): boolean | Missing {
  const first = toTruth(left, mode);
  if (first instanceof Missing || first === (op === "||")) return first;
  return toTruth(right(), mode);
}

export function toTruth(value: Value | Missing, mode: Mode): boolean | Missing {
  if (value instanceof Missing) return mode === "strict" ? false : value;
  if (typeof value === "boolean") return value;
  if (value === null || value === "false" || value === "FALSE") return false;
  if (value === "true" || value === "TRUE") return true;
  const number = toNumber(value, mode);
  if (!(number instanceof Missing)) return number !== 0;
  // That a struct, an array or a text is there is what `[? @.x]` asks.
  return mode === "strict" ? true : new Missing(`${kindOf(value)} is neither true nor false`);
}

export function toNumber(value: Value, mode: Mode): number | Missing {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  const isNumber = typeof value === "string" && mode === "compat" && value.trim() === value && value !== "";
  const number = isNumber ? Number(value) : Number.NaN;
  return Number.isNaN(number) ? new Missing(`${kindOf(value)} is no number`) : number;
}

/** As Go prints it; what holds others is no text here, since its own text could be long. */
export function plainText(value: Value): string | Missing {
  const isPlain = !Array.isArray(value) && !isObject(value) && !(value instanceof Uint8Array);
  return isPlain ? goText(value) : new Missing(`${kindOf(value)} is no name`);
}

function same(left: Value, right: Value, run: PathRun): boolean {
  if (run.mode === "compat" && typeof left !== typeof right) {
    const [a, b] = [toNumber(left, run.mode), toNumber(right, run.mode)];
    if (!(a instanceof Missing) && !(b instanceof Missing)) return a === b;
    const [x, y] = [toTruth(left, run.mode), toTruth(right, run.mode)];
    if (!(x instanceof Missing) && !(y instanceof Missing)) return x === y;
  }
  return deepSame(left, right, run);
}

/** As `isSame`, with each pair of values on the bill. */
function deepSame(left: Value, right: Value, run: PathRun): boolean {
  charge(run, 1);
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    return left.every((one, at) => deepSame(one as Value, right[at] as Value, run));
  }
  if (typeof left === "string") charge(run, left.length >> 8);
  if (!isObject(left)) return isSame(left, right);
  if (!isObject(right)) return false;
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) => Object.hasOwn(right, name) && deepSame(left[name]!, right[name]!, run));
}

function compares(op: string, left: Value, right: Value, run: PathRun): boolean | Missing {
  const { mode } = run;
  const isAlike = typeof left === "string" && typeof right === "string";
  if (isAlike) charge(run, left.length >> 8);
  const [a, b] = isAlike ? [left, right] : [toNumber(left, mode), toNumber(right, mode)];
  let found: number;
  if (a instanceof Missing || b instanceof Missing) {
    const [x, y] = [plainText(left), plainText(right)];
    if (mode === "strict") return false;
    if (left === null || right === null || x instanceof Missing || y instanceof Missing) {
      return new Missing(`${kindOf(left)} ${op} ${kindOf(right)} does not compare`);
    }
    found = order(x, y);
  } else found = isAlike || mode === "compat" ? order(a, b) : order(left, right);
  return op.endsWith("=") && found === 0 ? true : op.startsWith("<") ? found < 0 : found > 0;
}

function matches(left: Value, right: Value, run: PathRun): boolean | Missing {
  const [text, wanted] = [plainText(left), plainText(right)];
  if (text instanceof Missing) return text;
  if (wanted instanceof Missing) return wanted;
  effort.spend(20 * wanted.length);
  const regexp = regexpOf(wanted);
  charge(run, (text.length * regexp.steps) >> 8);
  return regexp.re.test(text);
}

function calculated(op: string, left: Value, right: Value, run: PathRun): Value | Missing {
  if (op === "+" && typeof left === "string" && typeof right === "string") {
    charge(run, (left.length + right.length) >> 4);
    return left + right;
  }
  const [a, b] = [toNumber(left, run.mode), toNumber(right, run.mode)];
  if (a instanceof Missing) return a;
  if (b instanceof Missing) return b;
  const result = { "+": a + b, "-": a - b, "*": a * b, "/": a / b, "%": a % b, "**": a ** b }[op]!;
  return Number.isFinite(result) ? result : new Missing(`${a} ${op} ${b} is no number`);
}
