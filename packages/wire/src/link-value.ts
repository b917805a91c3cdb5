import { integerBounds, isIntegerType, limits, type Value, type ValueType } from "@penstock/model";
import { bad } from "./link-check.ts";

/** A typed value as MessagePack gave it back. @throws AppError "link/bad-frame" when it is not of the type */
export function checkValue(type: ValueType, value: unknown, path: string): Value {
  if (value === null || value === undefined) return null;
  if (isIntegerType(type)) {
    const whole =
      typeof value === "bigint"
        ? value
        : typeof value === "number" && Number.isSafeInteger(value)
          ? BigInt(value)
          : null;
    const [low, high] = integerBounds[type];
    if (whole === null || whole < low || whole > high) return bad(path, `a value of type ${type}`);
    return type === "int64" || type === "uint64" ? whole : Number(whole);
  }
  switch (type) {
    case "bool":
      return typeof value === "boolean" ? value : bad(path, "a value of type bool");
    case "float32":
    case "float64":
      return typeof value === "number" ? value : bad(path, `a value of type ${type}`);
    case "string":
      return typeof value === "string" && value.length <= limits.stringValueBytes
        ? value
        : bad(path, "a value of type string");
    case "bytes":
      return value instanceof Uint8Array && value.length <= limits.bytesValueBytes
        ? value
        : bad(path, "a value of type bytes");
    case "json":
      // Anything MessagePack carries as plain data was JSON at the sender.
      return typeof value === "object" && "json" in value
        ? (value as { json: null })
        : bad(path, "a value of type json");
    default:
      return bad(path, "a known type");
  }
}
