import { AppError, integerBounds, isIntegerType, type Value, type ValueType } from "@penstock/model";

/**
 * A number of a signal as a value of the property's type: integers rounded, bool true from one half up, text in decimals.
 *
 * @returns null where the type cannot hold it
 */
export function typed(type: ValueType, given: number | bigint): Value {
  if (type === "string") return String(given);
  if (type === "json") return { json: Number(given) };
  if (type === "bytes") return null;
  if (type === "bool") return Number(given) >= 0.5;
  if (type === "float32" || type === "float64") {
    const number = type === "float32" ? Math.fround(Number(given)) : Number(given);
    return Number.isFinite(number) ? number : null;
  }
  if (typeof given === "number" && !Number.isFinite(given)) return null;
  const whole = typeof given === "bigint" ? given : BigInt(Math.round(given));
  const [low, high] = integerBounds[type];
  if (whole < low || whole > high) return null;
  return type === "int64" || type === "uint64" ? whole : Number(whole);
}

/** @returns the number that a written value stands for, so that a counter can go on from it; null when it is none */
export function numberIn(value: Value): number | bigint | null {
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value === "boolean") return Number(value);
  if (typeof value !== "string" || value.trim() === "") return null;
  if (/^-?\d{1,20}$/.test(value)) return BigInt(value);
  return Number.isFinite(Number(value)) ? Number(value) : null;
}

/** @throws AppError mapper/value-out-of-range when it is not a value of the type */
export function checkFits(type: ValueType, value: Value): void {
  if (!fits(type, value)) {
    const shown = typeof value === "bigint" ? String(value) : JSON.stringify(value);
    throw new AppError("mapper/value-out-of-range", `Cannot write ${shown}: not a value of type "${type}"`);
  }
}

function fits(type: ValueType, value: Value): boolean {
  if (value === null) return false;
  if (isIntegerType(type)) {
    const isWide = type === "int64" || type === "uint64";
    if (typeof value !== (isWide ? "bigint" : "number") || (!isWide && !Number.isInteger(value))) return false;
    const [low, high] = integerBounds[type];
    return (value as number | bigint) >= low && (value as number | bigint) <= high;
  }
  switch (type) {
    case "bool":
      return typeof value === "boolean";
    case "float32":
    case "float64":
      return typeof value === "number" && Number.isFinite(type === "float32" ? Math.fround(value) : value);
    case "string":
      return typeof value === "string";
    case "bytes":
      return value instanceof Uint8Array;
    case "json":
      return typeof value === "object" && "json" in value;
  }
}
