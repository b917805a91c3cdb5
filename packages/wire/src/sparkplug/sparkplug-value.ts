import type { Json, Value, ValueType } from "@penstock/model";
import type { ProtoWriter } from "../dmi/proto-bytes.ts";

/** @source Sparkplug 3.0.0, 6.4.16 (DataType) */
export const sparkplugDatatypes = {
  ...{ int8: 1, int16: 2, int32: 3, int64: 4, uint8: 5, uint16: 6, uint32: 7, uint64: 8 },
  ...{ float32: 9, float64: 10, bool: 11, string: 12, bytes: 17, json: 12 },
} as const satisfies Record<ValueType, number>;

/** Fields of Metric that hold its value. @source Sparkplug 3.0.0, 6.4.1 (sparkplug_b.proto, Payload.Metric) */
export const valueFields = { int: 10, long: 11, float: 12, double: 13, boolean: 14, string: 15, bytes: 16 } as const;

/** What a field of a metric held: whole numbers as they stood there, without a sign. */
export type SparkplugRaw =
  | { readonly field: "int" | "long"; readonly value: bigint }
  | { readonly field: "float" | "double"; readonly value: number }
  | { readonly field: "boolean"; readonly value: boolean }
  | { readonly field: "string"; readonly value: string }
  | { readonly field: "bytes"; readonly value: Uint8Array };

/** Writes a value of ours into the field of its datatype; a value is never null. */
export function writeSparkplugValue(writer: ProtoWriter, type: ValueType, value: Exclude<Value, null>): void {
  switch (type) {
    case "bool":
      writer.varint(valueFields.boolean, value === true ? 1n : 0n);
      break;
    // Negative ones as their two's complement of 32 bits.
    case "int8":
    case "int16":
    case "int32":
    case "uint8":
    case "uint16":
    case "uint32":
      writer.varint(valueFields.int, BigInt.asUintN(32, BigInt(value as number)));
      break;
    case "int64":
    case "uint64":
      writer.varint(valueFields.long, value as bigint);
      break;
    case "float32":
      writer.float(valueFields.float, value as number);
      break;
    case "float64":
      writer.double(valueFields.double, value as number);
      break;
    case "string":
      writer.text(valueFields.string, value as string);
      break;
    case "json":
      writer.text(valueFields.string, JSON.stringify((value as { readonly json: Json }).json));
      break;
    case "bytes":
      writer.message(valueFields.bytes, value as Uint8Array);
      break;
  }
}

/**
 * The value that a metric holds for a property of ours; undefined when its field is none for that type. Whether it lies in
 * the type's range is for whoever takes it: a number that is too large stays too large.
 */
export function sparkplugValueOf(raw: SparkplugRaw, type: ValueType): Value | undefined {
  switch (type) {
    case "bool":
      return raw.field === "boolean" ? raw.value : undefined;
    case "string":
      return raw.field === "string" ? raw.value : undefined;
    case "json":
      return raw.field === "string" ? parsed(raw.value) : undefined;
    case "bytes":
      return raw.field === "bytes" ? raw.value : undefined;
    case "float32":
    case "float64":
      return raw.field === "float" || raw.field === "double" ? raw.value : undefined;
    case "int64":
      return raw.field === "long" ? BigInt.asIntN(64, raw.value) : raw.field === "int" ? signed(raw.value) : undefined;
    case "uint64":
      return raw.field === "long" || raw.field === "int" ? raw.value : undefined;
    default:
      if (raw.field !== "int" && raw.field !== "long") return undefined;
      // Some libraries write unsigned 32 bits as a long.
      if (type.startsWith("u")) return Number(raw.value);
      return Number(raw.field === "int" ? signed(raw.value) : BigInt.asIntN(64, raw.value));
  }
}

function signed(value: bigint): bigint {
  return BigInt.asIntN(32, value);
}

function parsed(text: string): Value | undefined {
  try {
    return { json: JSON.parse(text) as Json };
  } catch {
    return undefined;
  }
}
