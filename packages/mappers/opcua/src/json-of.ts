import type { Json } from "@penstock/model";
import { DataType, DataValue, LocalizedText, NodeId, QualifiedName, StatusCode, Variant } from "node-opcua-client";
import { bigintOf } from "./int64.ts";

/** Lists and structures in each other; deeper ones become null. */
const deepest = 32;

/** Any value of OPC UA as JSON: 64-bit integers as decimal strings, bytes as base64, times in ISO 8601, NaN as null. */
export function jsonOf(dataType: DataType, value: unknown, depth = 0): Json {
  if (value === null || value === undefined || depth > deepest) return null;
  switch (dataType) {
    case DataType.Int64:
      return isPair(value) ? String(bigintOf(value, true)) : plain(value, depth);
    case DataType.UInt64:
      return isPair(value) ? String(bigintOf(value, false)) : plain(value, depth);
    case DataType.ExtensionObject:
      return structure(value, depth);
    default:
      return plain(value, depth);
  }
}

/** A whole variant: arrays as lists, matrices as lists of lists. */
export function jsonOfVariant(variant: Variant, depth = 0): Json {
  const { dataType, value, dimensions } = variant;
  const isList = variant.arrayType !== 0 && value !== null && value !== undefined;
  if (!isList) return jsonOf(dataType, value, depth);
  const flat = Array.from(value as ArrayLike<unknown>, (item) => jsonOf(dataType, item, depth + 1));
  return dimensions === null || dimensions === undefined || dimensions.length < 2 ? flat : shaped(flat, dimensions);
}

function shaped(flat: readonly Json[], [length = 0, ...rest]: readonly number[]): Json[] {
  if (rest.length === 0) return [...flat];
  const each = rest.reduce((product, size) => product * size, 1);
  return Array.from({ length }, (_, i) => shaped(flat.slice(i * each, (i + 1) * each), rest));
}

function plain(value: unknown, depth: number): Json {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case "boolean":
    case "string":
      return value;
    case "number":
      return Number.isFinite(value) ? value : null;
    case "bigint":
      return String(value);
    case "object":
      break;
    default:
      return null;
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof NodeId) return value.toString();
  if (value instanceof StatusCode) return value.name;
  if (value instanceof LocalizedText) return value.text ?? null;
  if (value instanceof QualifiedName) return value.toString();
  if (value instanceof Variant) return jsonOfVariant(value, depth + 1);
  if (value instanceof DataValue) return jsonOfVariant(value.value, depth + 1);
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>, (item) => plain(item, depth));
  return structure(value, depth);
}

interface Described {
  readonly schema?: { readonly fields?: readonly FieldOfSchema[]; readonly baseType?: string };
}
interface FieldOfSchema {
  readonly name: string;
  readonly fieldType: string;
  readonly isArray?: boolean;
}

/** A structure by its description, base types included; one without is taken as it lies. */
function structure(value: unknown, depth: number): Json {
  if (depth > deepest || typeof value !== "object" || value === null) return null;
  const types = new Map<string, string>();
  for (const { name, fieldType } of (value as Described).schema?.fields ?? []) types.set(name, fieldType);
  const fields: Record<string, Json> = {};
  for (const [name, field] of Object.entries(value)) {
    if (name.startsWith("_") || name === "schema" || typeof field === "function") continue;
    fields[name] = member(types.get(name), field, depth + 1);
  }
  return fields;
}

function member(type: string | undefined, value: unknown, depth: number): Json {
  const is64 = type === "Int64" || type === "UInt64";
  if (is64 && isPair(value)) return String(bigintOf(value, type === "Int64"));
  if (is64 && Array.isArray(value)) return value.map((item) => member(type, item, depth));
  return depth > deepest ? null : plain(value, depth);
}

function isPair(value: unknown): value is readonly [number, number] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === "number" && typeof value[1] === "number";
}
