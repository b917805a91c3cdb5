import { type ErrorCode, integerBounds, isIntegerType, type Value, type ValueType } from "@penstock/model";
import { DataType, LocalizedText, NodeId, QualifiedName, StatusCode, type Variant } from "node-opcua-client";
import { bigintOf, type HighLow } from "./int64.ts";
import { jsonOfVariant } from "./json-of.ts";

export type Converted = { readonly value: Value } | { readonly reason: ErrorCode };

const badAnswer = { reason: "mapper/bad-answer" } as const;
const outOfRange = { reason: "mapper/value-out-of-range" } as const;

/**
 * A node's value as one of the property's type, or why it is none: nothing is rounded to an integer, cut or guessed.
 *
 * Numbers become each other where they fit, text where the property is text; a DateTime is ISO 8601 text or microseconds
 * since 1970 UTC; json takes anything, arrays and structures included.
 *
 * @source OPC UA 1.05 Part 6, 5.1.2 (built-in types)
 */
export function toValue(type: ValueType, variant: Variant): Converted {
  const { dataType, value } = variant;
  if (dataType === DataType.Null || value === null || value === undefined) return badAnswer;
  if (type === "json") return { value: { json: jsonOfVariant(variant) } };
  if (variant.arrayType !== 0) {
    // An array of Byte is what many servers have for bytes.
    const isBytes = type === "bytes" && dataType === DataType.Byte && variant.arrayType === 1;
    return isBytes ? { value: Uint8Array.from(value as ArrayLike<number>) } : badAnswer;
  }
  if (type === "bytes") return value instanceof Uint8Array ? { value: Uint8Array.from(value) } : badAnswer;
  if (type === "string") return text(dataType, value);
  if (type === "bool") return typeof value === "boolean" ? { value } : badAnswer;
  const number = numberIn(dataType, value);
  if (number === null) return badAnswer;
  if (isIntegerType(type)) return integer(type, number);
  const real = Number(number);
  if (!Number.isFinite(real)) return { reason: "mapper/value-not-finite" };
  return type === "float32" && !Number.isFinite(Math.fround(real)) ? outOfRange : { value: real };
}

function integer(type: Extract<ValueType, keyof typeof integerBounds>, number: number | bigint): Converted {
  if (typeof number === "number") {
    if (!Number.isFinite(number)) return { reason: "mapper/value-not-finite" };
    if (!Number.isInteger(number)) return outOfRange;
  }
  const whole = BigInt(number);
  const [low, high] = integerBounds[type];
  if (whole < low || whole > high) return outOfRange;
  return { value: type === "int64" || type === "uint64" ? whole : Number(whole) };
}

function numberIn(dataType: DataType, value: unknown): number | bigint | null {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  if (dataType === DataType.Int64 || dataType === DataType.UInt64) {
    return Array.isArray(value) ? bigintOf(value as unknown as HighLow, dataType === DataType.Int64) : null;
  }
  // The library keeps milliseconds of a Date.
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : BigInt(value.getTime()) * 1000n;
  if (value instanceof StatusCode) return value.value;
  return null;
}

function text(dataType: DataType, value: unknown): Converted {
  if (typeof value === "string") return { value };
  if (value instanceof LocalizedText) return { value: value.text ?? "" };
  if (value instanceof QualifiedName || value instanceof NodeId) return { value: value.toString() };
  if (value instanceof StatusCode) return { value: value.name };
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? badAnswer : { value: value.toISOString() };
  const number = numberIn(dataType, value);
  if (typeof value === "boolean") return { value: String(value) };
  return number === null ? badAnswer : { value: String(number) };
}
