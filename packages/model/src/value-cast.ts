import { integerBounds, isIntegerType, isNumericType, type Value, type ValueType } from "./value.ts";

/**
 * The same number as a value of another numeric type.
 *
 * @returns null when `to` cannot hold it exactly, and for anything but numbers: a text that looks like one is none
 */
export function castExactly(value: Value, to: ValueType): Value {
  if ((typeof value !== "number" && typeof value !== "bigint") || !isNumericType(to)) return null;
  if (isIntegerType(to)) {
    if (typeof value === "number" && !Number.isInteger(value)) return null;
    const whole = BigInt(value);
    const [low, high] = integerBounds[to];
    if (whole < low || whole > high) return null;
    return to === "int64" || to === "uint64" ? whole : Number(whole);
  }
  const number = to === "float32" ? Math.fround(Number(value)) : Number(value);
  // Compares a bigint by mathematical value, so what rounding changed differs.
  // biome-ignore lint/suspicious/noDoubleEquals: === would compare the types
  return number == value ? number : null;
}
