import { AppError, integerBounds, type Json, type Value } from "@penstock/model";
import {
  coerceLocalizedText,
  coerceQualifiedName,
  DataType,
  resolveNodeId,
  Variant,
  VariantArrayType,
} from "node-opcua-client";
import { highLowOf } from "./int64.ts";

/** What a node takes. */
export interface NodeType {
  readonly dataType: DataType;
  /** OPC UA 1.05 Part 3, 5.6.2: -1 scalar, 0 one or more dimensions, above that many; -2 any, -3 scalar or one dimension */
  readonly valueRank: number;
}

const integers = {
  [DataType.SByte]: integerBounds.int8,
  [DataType.Byte]: integerBounds.uint8,
  [DataType.Int16]: integerBounds.int16,
  [DataType.UInt16]: integerBounds.uint16,
  [DataType.Int32]: integerBounds.int32,
  [DataType.UInt32]: integerBounds.uint32,
  [DataType.Int64]: integerBounds.int64,
  [DataType.UInt64]: integerBounds.uint64,
} as const;

/**
 * A value as the node wants it.
 *
 * @throws AppError mapper/value-out-of-range when the node's type cannot hold it, mapper/unsupported for types that nobody
 *   can write from here (structures)
 */
export function toVariant({ dataType, valueRank }: NodeType, value: Value): Variant {
  if (value === null) throw unfit(dataType, value);
  if (value instanceof Uint8Array && dataType === DataType.Byte) {
    return new Variant({ dataType, arrayType: VariantArrayType.Array, value: Uint8Array.from(value) });
  }
  if (typeof value === "object" && "json" in value) {
    if (Array.isArray(value.json)) {
      const items = (value.json as readonly Json[]).map((item) => scalar(dataType, fromJson(dataType, item)));
      return new Variant({ dataType, arrayType: VariantArrayType.Array, value: items });
    }
    return new Variant({
      dataType,
      arrayType: VariantArrayType.Scalar,
      value: scalar(dataType, fromJson(dataType, value.json)),
    });
  }
  if (valueRank >= 1) throw unfit(dataType, value);
  return new Variant({ dataType, arrayType: VariantArrayType.Scalar, value: scalar(dataType, value) });
}

function scalar(dataType: DataType, value: Exclude<Value, null>): unknown {
  if (dataType in integers) {
    const whole = wholeIn(value);
    const [low, high] = integers[dataType as keyof typeof integers];
    if (whole === null || whole < low || whole > high) throw unfit(dataType, value);
    return dataType === DataType.Int64 || dataType === DataType.UInt64 ? highLowOf(whole) : Number(whole);
  }
  switch (dataType) {
    case DataType.Boolean:
      if (typeof value !== "boolean") throw unfit(dataType, value);
      return value;
    case DataType.Float:
    case DataType.Double: {
      const real = typeof value === "number" || typeof value === "bigint" ? Number(value) : Number.NaN;
      if (!Number.isFinite(dataType === DataType.Float ? Math.fround(real) : real)) throw unfit(dataType, value);
      return real;
    }
    case DataType.String:
    case DataType.XmlElement:
      return textIn(dataType, value);
    case DataType.LocalizedText:
      return coerceLocalizedText(textIn(dataType, value));
    case DataType.QualifiedName:
      return coerceQualifiedName(textIn(dataType, value));
    case DataType.Guid:
      if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(textIn(dataType, value))) throw unfit(dataType, value);
      return value;
    case DataType.NodeId:
      try {
        return resolveNodeId(textIn(dataType, value));
      } catch {
        throw unfit(dataType, value);
      }
    case DataType.DateTime:
      return dateIn(dataType, value);
    case DataType.ByteString:
      if (!(value instanceof Uint8Array)) throw unfit(dataType, value);
      return Buffer.from(value);
    default:
      throw new AppError("mapper/unsupported", `Cannot write a node of type ${DataType[dataType]}`);
  }
}

/** What stands in a list or alone as JSON, by the node's type. */
function fromJson(dataType: DataType, json: Json): Exclude<Value, null> {
  if (json === null || typeof json === "object") throw unfit(dataType, { json });
  if (typeof json !== "string") return json;
  if (dataType === DataType.ByteString) return Uint8Array.from(Buffer.from(json, "base64"));
  return (dataType === DataType.Int64 || dataType === DataType.UInt64) && /^-?\d{1,20}$/.test(json)
    ? BigInt(json)
    : json;
}

function wholeIn(value: Exclude<Value, null>): bigint | null {
  if (typeof value === "bigint") return value;
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : null;
}

function textIn(dataType: DataType, value: Exclude<Value, null>): string {
  if (typeof value !== "string") throw unfit(dataType, value);
  return value;
}

/** ISO 8601 text, or microseconds since 1970 UTC. */
function dateIn(dataType: DataType, value: Exclude<Value, null>): Date {
  const whole = typeof value === "string" ? null : wholeIn(value);
  const date = whole === null ? new Date(textIn(dataType, value)) : new Date(Number(whole / 1000n));
  if (Number.isNaN(date.getTime())) throw unfit(dataType, value);
  return date;
}

function unfit(dataType: DataType, value: Value): AppError {
  const shown =
    typeof value === "bigint" ? String(value) : value instanceof Uint8Array ? "bytes" : JSON.stringify(value);
  return new AppError(
    "mapper/value-out-of-range",
    `Cannot write ${shown.slice(0, 80)}: the node holds ${DataType[dataType]}`,
  );
}
