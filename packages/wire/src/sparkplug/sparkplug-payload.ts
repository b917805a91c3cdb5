import { AppError, limits, type Quality, type Value, type ValueType } from "@penstock/model";
import { ProtoReader, ProtoWriter, wireTypes } from "../dmi/proto-bytes.ts";
import { type SparkplugRaw, sparkplugDatatypes, valueFields, writeSparkplugValue } from "./sparkplug-value.ts";

/** One metric as we send it. */
export interface SparkplugMetric {
  /** null where the alias alone says which: data after a birth */
  readonly name: string | null;
  readonly alias: number | null;
  /** milliseconds since 1970 */
  readonly timestamp: number;
  readonly type: ValueType;
  readonly value: Value;
  /** null: not told */
  readonly quality: Quality | null;
  /** UCUM; null: none */
  readonly unit: string | null;
}
export interface SparkplugPayload {
  readonly timestamp: number;
  /** 0..255; null in NDEATH and commands */
  readonly seq: number | null;
  readonly metrics: readonly SparkplugMetric[];
}

/** One metric as it was received. */
export interface ReceivedMetric {
  readonly name: string | null;
  readonly alias: bigint | null;
  readonly timestamp: bigint | null;
  readonly datatype: number | null;
  readonly isNull: boolean;
  /** of the property "Quality"; null when there is none */
  readonly quality: number | null;
  readonly raw: SparkplugRaw | null;
}
export interface ReceivedPayload {
  readonly timestamp: bigint | null;
  readonly seq: bigint | null;
  readonly metrics: readonly ReceivedMetric[];
}

/** @source Sparkplug 3.0.0, 6.4.9: the values that the property Quality may have; what is doubtful is stale */
export const sparkplugQuality = { good: 192, uncertain: 500, bad: 0 } as const satisfies Record<Quality, number>;

const payload = { timestamp: 1, metrics: 2, seq: 3 } as const;
const metric = { name: 1, alias: 2, timestamp: 3, datatype: 4, isNull: 7, properties: 9 } as const;
const set = { keys: 1, values: 2 } as const;
const property = { type: 1, int: 3, string: 8 } as const;
const [typeInt32, typeString] = [3n, 12n];

/** @source Sparkplug 3.0.0, 6.4 (sparkplug_b.proto); proto2: what is set is written, defaults too */
export function encodeSparkplug({ timestamp, seq, metrics }: SparkplugPayload): Uint8Array {
  const writer = new ProtoWriter();
  writer.varint(payload.timestamp, BigInt(timestamp));
  for (const one of metrics) writer.message(payload.metrics, encodeMetric(one));
  if (seq !== null) writer.varint(payload.seq, BigInt(seq));
  return writer.bytes();
}

function encodeMetric({ name, alias, timestamp, type, value, quality, unit }: SparkplugMetric): Uint8Array {
  const writer = new ProtoWriter();
  if (name !== null) writer.text(metric.name, name);
  if (alias !== null) writer.varint(metric.alias, BigInt(alias));
  writer.varint(metric.timestamp, BigInt(timestamp));
  writer.varint(metric.datatype, BigInt(sparkplugDatatypes[type]));
  if (value === null) writer.varint(metric.isNull, 1n);
  if (quality !== null || unit !== null) writer.message(metric.properties, encodeProperties(quality, unit));
  if (value !== null) writeSparkplugValue(writer, type, value);
  return writer.bytes();
}

function encodeProperties(quality: Quality | null, unit: string | null): Uint8Array {
  const [writer, values] = [new ProtoWriter(), [] as ProtoWriter[]];
  if (quality !== null) {
    writer.text(set.keys, "Quality");
    const value = new ProtoWriter();
    value.varint(property.type, typeInt32);
    value.varint(property.int, BigInt(sparkplugQuality[quality]));
    values.push(value);
  }
  if (unit !== null) {
    writer.text(set.keys, "engUnit");
    const value = new ProtoWriter();
    value.varint(property.type, typeString);
    value.text(property.string, unit);
    values.push(value);
  }
  for (const value of values) writer.message(set.values, value.bytes());
  return writer.bytes();
}

/**
 * Reads a payload that anybody may have sent: names, aliases, values, quality. The rest is passed over.
 *
 * @throws AppError input/invalid for what is no protobuf, or has more metrics than a device may have properties
 */
export function decodeSparkplug(bytes: Uint8Array): ReceivedPayload {
  const reader = new ProtoReader(bytes);
  let [timestamp, seq]: [bigint | null, bigint | null] = [null, null];
  const metrics: ReceivedMetric[] = [];
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === tagOf(payload.timestamp, wireTypes.varint)) timestamp = reader.varint();
    else if (tag === tagOf(payload.seq, wireTypes.varint)) seq = reader.varint();
    else if (tag === tagOf(payload.metrics, wireTypes.bytes)) {
      if (metrics.length >= limits.propertiesPerDevice) throw tooMany();
      metrics.push(readMetric(reader.message()));
    } else reader.skip(tag & 7);
  }
  return { timestamp, seq, metrics };
}

function readMetric(reader: ProtoReader): ReceivedMetric {
  const found = {
    ...{ name: null as string | null, alias: null as bigint | null, timestamp: null as bigint | null },
    ...{ datatype: null as number | null, isNull: false, quality: null as number | null },
    raw: null as SparkplugRaw | null,
  };
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    switch (tag) {
      case tagOf(metric.name, wireTypes.bytes):
        found.name = reader.text();
        break;
      case tagOf(metric.alias, wireTypes.varint):
        found.alias = reader.varint();
        break;
      case tagOf(metric.timestamp, wireTypes.varint):
        found.timestamp = reader.varint();
        break;
      case tagOf(metric.datatype, wireTypes.varint):
        found.datatype = Number(reader.varint());
        break;
      case tagOf(metric.isNull, wireTypes.varint):
        found.isNull = reader.varint() !== 0n;
        break;
      case tagOf(metric.properties, wireTypes.bytes):
        found.quality = readQuality(reader.message());
        break;
      default:
        found.raw = readRaw(reader, tag) ?? found.raw;
    }
  }
  return found;
}

/** null for a field that holds no value of ours; it is passed over */
function readRaw(reader: ProtoReader, tag: number): SparkplugRaw | null {
  switch (tag) {
    case tagOf(valueFields.int, wireTypes.varint):
      return { field: "int", value: reader.varint() };
    case tagOf(valueFields.long, wireTypes.varint):
      return { field: "long", value: reader.varint() };
    case tagOf(valueFields.float, wireTypes.fixed32):
      return { field: "float", value: reader.float() };
    case tagOf(valueFields.double, wireTypes.fixed64):
      return { field: "double", value: reader.double() };
    case tagOf(valueFields.boolean, wireTypes.varint):
      return { field: "boolean", value: reader.varint() !== 0n };
    case tagOf(valueFields.string, wireTypes.bytes):
      return { field: "string", value: reader.text() };
    case tagOf(valueFields.bytes, wireTypes.bytes):
      return { field: "bytes", value: reader.bytes() };
    default:
      reader.skip(tag & 7);
      return null;
  }
}

function readQuality(reader: ProtoReader): number | null {
  const keys: string[] = [];
  const values: (number | null)[] = [];
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === tagOf(set.keys, wireTypes.bytes)) keys.push(reader.text());
    else if (tag === tagOf(set.values, wireTypes.bytes)) values.push(readInt(reader.message()));
    else reader.skip(tag & 7);
  }
  return values[keys.indexOf("Quality")] ?? null;
}

function readInt(reader: ProtoReader): number | null {
  let found: number | null = null;
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === tagOf(property.int, wireTypes.varint)) found = Number(BigInt.asIntN(32, reader.varint()));
    else reader.skip(tag & 7);
  }
  return found;
}

function tagOf(field: number, wireType: number): number {
  return field * 8 + wireType;
}

function tooMany(): AppError {
  return new AppError("input/invalid", `Cannot read a message: more than ${limits.propertiesPerDevice} metrics`);
}
