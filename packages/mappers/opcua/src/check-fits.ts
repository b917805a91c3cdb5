import { AppError, integerBounds, isIntegerType, type Value, type ValueType } from "@penstock/model";

/** Before anything is sent. @throws AppError mapper/value-out-of-range when it is not a value of the type */
export function checkFits(type: ValueType, value: Value): void {
  if (fits(type, value)) return;
  const shown = typeof value === "bigint" ? String(value) : JSON.stringify(value);
  throw new AppError("mapper/value-out-of-range", `Cannot write ${shown}: not a value of type "${type}"`);
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
