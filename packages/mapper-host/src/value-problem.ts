import { type ErrorCode, emptyColumn, type Value, type ValueType } from "@penstock/model";

/** One column of any type, as `put` writes it after having checked the value against the type. */
export type Writable = { [place: number]: unknown };

/**
 * Puts a value in its place of the type's column.
 *
 * @returns why the value cannot be that of the type, null when it is there; drivers are foreign code
 */
export function put(column: Writable, place: number, type: ValueType, value: Value): ErrorCode | null {
  switch (type) {
    case "bool":
      if (typeof value !== "boolean") return "mapper/bad-answer";
      column[place] = value ? 1 : 0;
      return null;
    case "float32":
    case "float64":
      if (typeof value !== "number") return "mapper/bad-answer";
      if (!Number.isFinite(value)) return "mapper/value-not-finite";
      column[place] = value;
      return Number.isFinite(column[place]) ? null : "mapper/value-out-of-range";
    case "int64":
    case "uint64":
      if (typeof value !== "bigint") return "mapper/bad-answer";
      column[place] = value;
      return column[place] === value ? null : "mapper/value-out-of-range";
    case "string":
      if (typeof value !== "string") return "mapper/bad-answer";
      column[place] = value;
      return null;
    case "bytes":
      if (!(value instanceof Uint8Array)) return "mapper/bad-answer";
      column[place] = value;
      return null;
    case "json":
      if (typeof value !== "object" || value === null || !("json" in value)) return "mapper/bad-answer";
      column[place] = JSON.stringify(value.json);
      return null;
    default:
      if (typeof value !== "number") return "mapper/bad-answer";
      column[place] = value;
      // A typed array keeps the low bits of what does not fit: then it is not what was put in.
      return column[place] === value ? null : "mapper/value-out-of-range";
  }
}

const scratch = new Map<ValueType, Writable>();

/** Why a driver's value cannot be one of the type; null when it can. */
export function valueProblem(type: ValueType, value: Value): ErrorCode | null {
  let column = scratch.get(type);
  if (column === undefined) {
    column = emptyColumn(type, 1) as unknown as Writable;
    scratch.set(type, column);
  }
  return put(column, 0, type, value);
}
