import { AppError } from "@penstock/model";
import type { DmiMessages, DmiTopMessage } from "./dmi-messages.ts";
import { type DmiField, type DmiMessageName, dmiFields } from "./dmi-table.ts";
import { ProtoReader, ProtoWriter, wireTypes } from "./proto-bytes.ts";

/** Messages within messages; a device has six. */
const mostDepth = 16;
type Fields = Readonly<Record<string, unknown>>;

/** A DMI message as protobuf bytes. Fields that hold their default are left out, as proto3 has it; messages never. */
export function encodeDmi<N extends DmiTopMessage>(name: N, message: DmiMessages[N]): Uint8Array {
  const writer = new ProtoWriter();
  write(writer, name, message as Fields); // the table says of each field what it is
  return writer.bytes();
}

/**
 * Reads a DMI message. Fields that nobody knows are passed over, of a field that comes twice the last counts.
 *
 * @throws AppError input/invalid for anything that is no protobuf, or has a known field of another kind
 */
export function decodeDmi<N extends DmiTopMessage>(name: N, bytes: Uint8Array): DmiMessages[N] {
  return read(new ProtoReader(bytes), name, 0) as DmiMessages[N]; // built by the table
}

function write(writer: ProtoWriter, name: DmiMessageName, message: Fields): void {
  for (const field of dmiFields[name]) {
    const value = message[field.name];
    if (value === undefined || value === null) continue;
    if (field.kind === "list") for (const one of value as readonly unknown[]) writeOne(writer, field, one, true);
    else if (field.kind === "map") {
      for (const [key, one] of value as ReadonlyMap<string, unknown>) {
        const entry = new ProtoWriter();
        entry.text(1, key);
        writeOne(entry, { ...field, number: 2 }, one, true);
        writer.message(field.number, entry.bytes());
      }
    } else writeOne(writer, field, value, false);
  }
}

function writeOne(writer: ProtoWriter, { number, type }: DmiField, value: unknown, isAlways: boolean): void {
  switch (type) {
    case "string":
      if (isAlways || value !== "") writer.text(number, value as string);
      break;
    case "bytes":
      if (isAlways || (value as Uint8Array).length > 0) writer.message(number, value as Uint8Array);
      break;
    case "bool":
      if (isAlways || value === true) writer.varint(number, value === true ? 1n : 0n);
      break;
    case "int32":
    case "int64":
      if (isAlways || value !== 0) writer.varint(number, BigInt(value as number));
      break;
    default: {
      const inner = new ProtoWriter();
      write(inner, type, value as Fields);
      writer.message(number, inner.bytes());
    }
  }
}

function read(reader: ProtoReader, name: DmiMessageName, depth: number): Fields {
  if (depth > mostDepth) throw new AppError("input/invalid", `Cannot read a message: more than ${mostDepth} levels`);
  const { empty, byNumber } = readings[name];
  const message: Record<string, unknown> = { ...empty };
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    const field = byNumber[tag >>> 3];
    if (field === undefined) {
      reader.skip(tag & 7);
      continue;
    }
    if ((tag & 7) !== (isVarint(field) ? wireTypes.varint : wireTypes.bytes)) {
      throw new AppError("input/invalid", `Cannot read "${name}.${field.name}": wire type ${tag & 7}`);
    }
    const before = message[field.name];
    if (field.kind === "list") {
      const list = before === noList ? [] : (before as unknown[]);
      list.push(readOne(reader, field, depth));
      message[field.name] = list;
    } else if (field.kind === "map") {
      const map = before === noMap ? new Map<string, unknown>() : (before as Map<string, unknown>);
      readEntry(reader.message(), map, field, depth);
      message[field.name] = map;
    } else message[field.name] = readOne(reader, field, depth);
  }
  return message;
}

function readEntry(reader: ProtoReader, into: Map<string, unknown>, field: DmiField, depth: number): void {
  let key = "";
  let value: unknown;
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === 8 + wireTypes.bytes) key = reader.text();
    else if (tag === 16 + wireTypes.bytes) value = readOne(reader, field, depth);
    else reader.skip(tag & 7);
  }
  into.set(key, value ?? (field.type === "string" ? "" : { ...readings[field.type as "Any"].empty }));
}

function readOne(reader: ProtoReader, { type }: DmiField, depth: number): unknown {
  switch (type) {
    case "string":
      return reader.text();
    case "bytes":
      return reader.bytes();
    case "bool":
      return reader.varint() !== 0n;
    case "int32":
    case "int64":
      return Number(BigInt.asIntN(64, reader.varint()));
    default:
      return read(reader.message(), type, depth + 1);
  }
}

function isVarint({ kind, type }: DmiField): boolean {
  return kind === "one" && (type === "bool" || type === "int32" || type === "int64");
}

const noList: readonly unknown[] = Object.freeze([]);
/** Handed out as a ReadonlyMap only. */
const noMap: ReadonlyMap<string, unknown> = new Map();
const noBytes = new Uint8Array();

function emptyOf({ kind, type }: DmiField): unknown {
  if (kind === "list") return noList;
  if (kind === "map") return noMap;
  switch (type) {
    case "string":
      return "";
    case "bytes":
      return noBytes;
    case "bool":
      return false;
    case "int32":
    case "int64":
      return 0;
    default:
      return null;
  }
}

/** By message: what it is when nothing of it was sent, and its fields by number. */
const readings = Object.fromEntries(
  Object.entries(dmiFields).map(([name, fields]) => [
    name,
    {
      empty: Object.fromEntries(fields.map((field) => [field.name, emptyOf(field)])) as Fields,
      byNumber: fields.reduce<(DmiField | undefined)[]>((all, field) => {
        all[field.number] = field;
        return all;
      }, []),
    },
  ]),
) as unknown as Readonly<
  Record<DmiMessageName, { readonly empty: Fields; readonly byNumber: readonly (DmiField | undefined)[] }>
>; // the keys are those of the table
