import { readTime } from "../functions/time/part-read-time.ts";
import { type Zone, zoneOf } from "../functions/time/part-zone.ts";
import type { ComparisonOp, Mode } from "../parse/ast.ts";
import { effort } from "../run/effort.ts";
import { RowError } from "./row-error.ts";
import { Instant, kindOf, shown, type Value } from "./value.ts";

/** Comparing so many costs no more than anything else. */
const fewChars = 64;

/** How a text tells a moment: on the clocks of a zone where it has no offset. */
export interface TimeTexts {
  readonly zone: Zone;
  readonly mode: Mode;
}
const inUtc: TimeTexts = { zone: zoneOf("UTC"), mode: "strict" };

/**
 * How two values that are not null stand to each other: below 0, 0, above 0; NaN where neither is greater, as with NaN.
 * Numbers compare by what they are worth, integers exactly, also with floats; a moment with milliseconds and with a text
 * that is one.
 *
 * @throws RowError for kinds that do not compare
 */
export function order(left: Value, right: Value, texts: TimeTexts = inUtc): number {
  const a = comparable(left, right, texts);
  const b = comparable(right, left, texts);
  const isNumber = (one: unknown) => typeof one === "number" || typeof one === "bigint";
  if (a === null || b === null || !(typeof a === typeof b || (isNumber(a) && isNumber(b)))) {
    throw new RowError(`Cannot compare ${kindOf(left)} ${shown(left)} with ${kindOf(right)} ${shown(right)}`);
  }
  // Texts may differ at their ends alone, and are gone through up to three times.
  if (typeof a === "string" && a.length > fewChars) effort.chars(3 * Math.min(a.length, (b as string).length));
  return a < b ? -1 : a > b ? 1 : a >= b ? 0 : Number.NaN;
}

/** @returns null where it compares with nothing of the other's kind */
function comparable(value: Value, other: Value, texts: TimeTexts): number | bigint | string | boolean | null {
  if (value instanceof Instant) return value.micros;
  if (typeof value === "object") return null;
  if (!(other instanceof Instant)) return value;
  if (typeof value === "number") return value * 1000;
  if (typeof value === "bigint") return value * 1000n;
  if (typeof value !== "string") return null;
  effort.spend(100);
  return readTime(value, texts);
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
export function compares(op: ComparisonOp, left: Value, right: Value, texts: TimeTexts): boolean {
  return holds[op](order(left, right, texts));
}

/** Equal as `=` has it, but never an error: what cannot be compared is not equal. Arrays and structs by what they hold. */
export function isSame(left: Value, right: Value): boolean {
  effort.parts(1);
  if (typeof left === "string" && typeof right === "string" && left.length === right.length) effort.chars(left.length);
  if (left === right) return true;
  const kind = kindOf(left);
  if (kind !== kindOf(right)) {
    const areNumbers = ["bigint", "float"].includes(kind) && ["bigint", "float"].includes(kindOf(right));
    return areNumbers && order(left, right) === 0;
  }
  if (left instanceof Instant) return left.micros === (right as Instant).micros;
  if (left instanceof Uint8Array) {
    const other = right as Uint8Array;
    effort.chars(left.length << 3);
    return left.length === other.length && left.every((byte, at) => byte === other[at]);
  }
  if (Array.isArray(left)) {
    const other = right as readonly Value[];
    return left.length === other.length && left.every((one, at) => isSame(one, other[at]!));
  }
  if (kind !== "struct") return false;
  const [a, b] = [left as { [name: string]: Value }, right as { [name: string]: Value }];
  const names = Object.keys(a);
  effort.fields(names.length);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSame(a[name]!, b[name]!))
  );
}
