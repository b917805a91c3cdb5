import type { ComparisonOp } from "../parse/ast.ts";
import { RowError } from "./row-error.ts";
import { Instant, kindOf, shown, type Value } from "./value.ts";

/**
 * How two values that are not null stand to each other: below 0, 0, above 0; NaN where neither is greater, as with NaN.
 * Numbers compare by what they are worth, integers exactly, also with floats; a moment with milliseconds and with a text
 * that is one.
 *
 * @throws RowError for kinds that do not compare
 */
export function order(left: Value, right: Value): number {
  const a = comparable(left, right);
  const b = comparable(right, left);
  const isNumber = (one: unknown) => typeof one === "number" || typeof one === "bigint";
  if (a === null || b === null || !(typeof a === typeof b || (isNumber(a) && isNumber(b)))) {
    throw new RowError(`Cannot compare ${kindOf(left)} ${shown(left)} with ${kindOf(right)} ${shown(right)}`);
  }
  return a < b ? -1 : a > b ? 1 : a >= b ? 0 : Number.NaN;
}

/** @returns null where it compares with nothing of the other's kind */
function comparable(value: Value, other: Value): number | bigint | string | boolean | null {
  if (value instanceof Instant) return value.micros;
  if (typeof value === "object") return null;
  if (!(other instanceof Instant)) return value;
  if (typeof value === "number") return value * 1000;
  if (typeof value === "bigint") return value * 1000n;
  const micros = typeof value === "string" ? Date.parse(value) * 1000 : Number.NaN;
  return Number.isNaN(micros) ? null : micros;
}

const holds: Readonly<Record<ComparisonOp, (order: number) => boolean>> = {
  "=": (found) => found === 0,
  "!=": (found) => found !== 0,
  "<": (found) => found < 0,
  "<=": (found) => found <= 0,
  ">": (found) => found > 0,
  ">=": (found) => found >= 0,
};

/** Neither value is null. @throws RowError for kinds that do not compare */
export function compares(op: ComparisonOp, left: Value, right: Value): boolean {
  return holds[op](order(left, right));
}

/** Equal as `=` has it, but never an error: what cannot be compared is not equal. Arrays and structs by what they hold. */
export function isSame(left: Value, right: Value): boolean {
  if (left === right) return true;
  const kind = kindOf(left);
  if (kind !== kindOf(right)) {
    const areNumbers = ["bigint", "float"].includes(kind) && ["bigint", "float"].includes(kindOf(right));
    return areNumbers && order(left, right) === 0;
  }
  if (left instanceof Instant) return left.micros === (right as Instant).micros;
  if (left instanceof Uint8Array) {
    const other = right as Uint8Array;
    return left.length === other.length && left.every((byte, at) => byte === other[at]);
  }
  if (Array.isArray(left)) {
    const other = right as readonly Value[];
    return left.length === other.length && left.every((one, at) => isSame(one, other[at]!));
  }
  if (kind !== "struct") return false;
  const [a, b] = [left as { [name: string]: Value }, right as { [name: string]: Value }];
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSame(a[name]!, b[name]!))
  );
}
