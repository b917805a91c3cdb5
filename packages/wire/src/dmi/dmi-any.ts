import { type ExactJson, shortestFloat32, stringifyExact } from "@penstock/model";
import type { DmiAny } from "./dmi-messages.ts";
import { ProtoReader, ProtoWriter, wireTypes } from "./proto-bytes.ts";

const prefix = "type.googleapis.com/google.protobuf.";

/**
 * A setting as mappers of KubeEdge's framework can read it: they know five wrappers and nothing else. Whole numbers are
 * Int64Value, so that addresses and serial numbers stay exact; beyond 64 bits they are text. Other numbers are FloatValue,
 * the only such kind that those mappers know: about seven digits. Lists and objects are their JSON as text.
 */
export function toAny(value: Exclude<ExactJson, null>): DmiAny {
  const writer = new ProtoWriter();
  const made = (type: string): DmiAny => ({ type_url: prefix + type, value: writer.bytes() });
  switch (typeof value) {
    case "boolean":
      if (value) writer.varint(1, 1n);
      return made("BoolValue");
    case "bigint":
      if (BigInt.asIntN(64, value) !== value) break;
      if (value !== 0n) writer.varint(1, value);
      return made("Int64Value");
    case "number":
      if (Number.isSafeInteger(value)) {
        if (value !== 0) writer.varint(1, BigInt(value));
        return made("Int64Value");
      }
      writer.float(1, value);
      return made("FloatValue");
  }
  const text = typeof value === "object" ? stringifyExact(value) : String(value);
  if (text !== "") writer.text(1, text);
  return made("StringValue");
}

/** The setting in a wrapper; undefined where it is none of the known kinds, or broken. */
export function fromAny({ type_url: type, value: bytes }: DmiAny): string | number | bigint | boolean | undefined {
  const reader = new ProtoReader(bytes);
  let found: string | number | bigint | boolean | undefined;
  const kind = type.slice(type.lastIndexOf(".") + 1);
  try {
    while (!reader.isAtEnd) {
      const tag = reader.tag();
      if (tag !== 8 + (wireTypeOf[kind] ?? Number.NaN)) reader.skip(tag & 7);
      else if (kind === "StringValue") found = reader.text();
      // EdgeCore sends every number as 32 bits: 0.1 shall be 0.1 again.
      else if (kind === "FloatValue") found = shortestFloat32(reader.float());
      else if (kind === "BoolValue") found = reader.varint() !== 0n;
      else found = narrowed(BigInt.asIntN(64, reader.varint()));
    }
  } catch {
    return undefined;
  }
  return found ?? emptyOf[kind];
}

const wireTypeOf: Readonly<Record<string, number>> = {
  StringValue: wireTypes.bytes,
  Int32Value: wireTypes.varint,
  Int64Value: wireTypes.varint,
  BoolValue: wireTypes.varint,
  FloatValue: wireTypes.fixed32,
};
const emptyOf: Readonly<Record<string, string | number | boolean>> = {
  ...{ StringValue: "", Int32Value: 0, Int64Value: 0, FloatValue: 0, BoolValue: false },
};

function narrowed(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
