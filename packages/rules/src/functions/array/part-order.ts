import { effort } from "../../run/effort.ts";
import { order } from "../../value/compare.ts";
import { RowError } from "../../value/row-error.ts";
import { kindOf, type Value, type ValueKind } from "../../value/value.ts";

const classes: Partial<Record<ValueKind, string>> = {
  ...{ bigint: "numbers", float: "numbers", string: "texts", boolean: "booleans", datetime: "datetimes" },
};

/** Null, and NaN, which is neither above nor below anything. */
export function isBlank(value: Value): boolean {
  return value === null || value === undefined || (typeof value === "number" && Number.isNaN(value));
}

/** What is not blank. @throws RowError unless these are all numbers, all texts, all booleans or all datetimes */
export function orderable(name: string, array: readonly Value[]): Value[] {
  effort.parts(2 * array.length);
  const values = array.filter((one) => !isBlank(one));
  const kinds = new Set(values.map((one) => classes[kindOf(one)] ?? kindOf(one)));
  const [kind = ""] = kinds;
  if (kinds.size === 0 || (kinds.size === 1 && Object.values(classes).includes(kind))) return values;
  throw new RowError(
    `Cannot call ${name}: elements must be numbers, texts, booleans or datetimes, and are ${[...kinds].join(" and ")}`,
  );
}

/** The element that no other is above (sign 1) or below (sign -1). Null where there is none. @throws RowError */
export function extreme(name: string, array: readonly Value[], sign: 1 | -1): Value {
  let found: Value = null;
  for (const one of orderable(name, array)) if (found === null || order(one, found) * sign > 0) found = one;
  return found;
}

/**
 * As eKuiper has it: the first element that is not null decides. An integer makes all of them integers, cut towards zero; a
 * float or a text wants nothing but its like.
 *
 * @source eKuiper 2.x, internal/binder/function/common_array_funcs.go
 * @throws RowError
 */
export function extremeByFirst(name: string, array: readonly Value[], sign: 1 | -1): Value {
  effort.parts(2 * array.length);
  const values = array.filter((one) => one !== null && one !== undefined);
  const [first] = values;
  if (first === undefined) return null;
  const kind = kindOf(first);
  if (kind !== "bigint" && kind !== "float" && kind !== "string") {
    throw new RowError(`Cannot call ${name}: elements must be numbers or texts, and the first is ${kind}`);
  }
  let found: Value = first;
  for (const one of values) {
    const value = kind === "bigint" && typeof one === "number" && Number.isFinite(one) ? cut(name, one) : one;
    if (kindOf(value) !== kind) {
      throw new RowError(`Cannot call ${name}: the first element is ${kind}, and one is ${kindOf(value)}`);
    }
    if (order(value, found) * sign > 0) found = value;
  }
  return found;
}

function cut(name: string, value: number): bigint {
  const whole = BigInt(Math.trunc(value));
  if (BigInt.asIntN(64, whole) === whole) return whole;
  throw new RowError(`Cannot call ${name}: the first element is an integer, and ${value} is beyond 64 bits`);
}
