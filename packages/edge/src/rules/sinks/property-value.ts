import { castExactly, isIntegerType, type Json, type Value as ModelValue, type ValueType } from "@penstock/model";
import { Instant, type Value } from "@penstock/rules";
import { jsonOf } from "./row-json.ts";

/**
 * A value of SQL as a value of a property's type: a number as another kind of number where that holds it, floats for
 * integers only when they are whole, moments as milliseconds. Anything else is refused: a rule writes what it says.
 *
 * @returns undefined where the type cannot hold it
 */
export function propertyValue(type: ValueType, value: Value): ModelValue | undefined {
  if (value === null) return null;
  if (value instanceof Instant) return propertyValue(type, BigInt(value.ms));
  switch (type) {
    case "bool":
      return typeof value === "boolean" ? value : undefined;
    case "string":
      return typeof value === "string" && value.isWellFormed() ? value : undefined;
    case "bytes":
      return value instanceof Uint8Array ? value : undefined;
    case "json":
      return { json: JSON.parse(jsonOf(value)) as Json };
    case "float32":
    case "float64": {
      if (typeof value !== "number" && typeof value !== "bigint") return undefined;
      const number = type === "float32" ? Math.fround(Number(value)) : Number(value);
      return Number.isFinite(number) ? number : undefined;
    }
    default:
      return isIntegerType(type) && (typeof value === "number" || typeof value === "bigint")
        ? (castExactly(value, type) ?? undefined)
        : undefined;
  }
}

/** A value of SQL as `desiredFromJson` takes it: 64-bit integers as text, moments as milliseconds. */
export function wantedJson(type: ValueType, value: Value): Json {
  const held = propertyValue(type, value);
  if (typeof held === "bigint") return held.toString();
  if (typeof held === "number" || typeof held === "boolean") return held;
  return JSON.parse(jsonOf(value)) as Json;
}
