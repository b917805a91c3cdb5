import { type Conversion, conversion, type RawType, type RawValue, rawTypes } from "@penstock/mapper-sdk";
import { AppError, type ErrorCode, type Range, type Value, type ValueType } from "@penstock/model";
import { fromBcd, toBcd } from "./bcd.ts";
import { isBitTable, type Table } from "./pdu.ts";
import type { ModbusPoint, RegisterType, Visitor } from "./point.ts";
import { orderedBytes, registerBytes, registerReader, registersOf } from "./registers.ts";
import { decodeText, encodeText } from "./text-registers.ts";

/** What a value becomes on its way to the device. Each throws AppError mapper/value-out-of-range when it does not fit. */
export type WriteForm =
  | { readonly is: "coil"; readonly of: (value: Value) => boolean }
  /** two bytes a register, as they go over the wire */
  | { readonly is: "registers"; readonly of: (value: Value) => Uint8Array }
  /** some bits of one register: which, and what they become */
  | { readonly is: "mask"; readonly of: (value: Value) => { readonly bits: number; readonly value: number } };

/** A point, resolved: where it lies and how its bytes become a value. */
export interface ResolvedPoint extends Range {
  readonly unit: number;
  readonly table: Table;
  readonly form: WriteForm;
  readonly writeWith: Visitor["writeWith"];
  /**
   * null when the bytes have no value of the type; `reasonAt` says why
   *
   * @param at byte position of the point's first register; for bit tables, position of its bit
   */
  readonly valueAt: (data: DataView, at: number) => Value;
  readonly reasonAt: (data: DataView, at: number) => ErrorCode;
}

type Resolved = Pick<ResolvedPoint, "length" | "form" | "valueAt" | "reasonAt">;

/** @throws AppError mapper/bad-address or mapper/unsupported when the fields contradict each other */
export function resolvePoint({
  address,
  visitor,
  type,
}: Pick<ModbusPoint, "address" | "visitor" | "type">): ResolvedPoint {
  const { table, offset: start, raw, bit, writeWith } = visitor;
  const where = `${table} ${start}`;
  if (isBitTable(table) && (raw !== undefined || bit !== undefined)) {
    throw new AppError("mapper/bad-address", `Cannot read ${where}: it has neither raw nor bit`);
  }
  const resolved = isBitTable(table)
    ? bitOf(visitor, type)
    : bit === undefined
      ? registersAt(visitor, type)
      : bitFieldOf(visitor, type, bit);
  if (start + resolved.length > 65536) {
    throw new AppError(
      "mapper/bad-address",
      `Cannot read ${resolved.length} registers from ${where}: the last is 65535`,
    );
  }
  return { unit: address.unitId, table, start, writeWith, ...resolved };
}

function bitOf({ scale, bias }: Visitor, type: ValueType): Resolved {
  const flag = conversion({ raw: "bit", type, scale, offset: bias });
  return {
    length: 1,
    form: { is: "coil", of: (value) => flag.toRaw(value) === true },
    // 6.1: the first bit is the lowest of the first byte
    ...reading(flag, (data, at) => ((data.getUint8(at >> 3) >> (at & 7)) & 1) === 1),
  };
}

/** One bit, or several as a number without sign. */
function bitFieldOf(
  { table, offset, raw, wordOrder, bits, scale, bias }: Visitor,
  type: ValueType,
  bit: number,
): Resolved {
  const where = `bit ${bit} of ${table} ${offset}`;
  if (raw !== undefined && (!isNumber(raw) || registersOf(raw) !== 1)) {
    throw new AppError("mapper/bad-address", `Cannot read ${where}: "${raw}" is no register`);
  }
  if (bit + bits > 16) {
    throw new AppError("mapper/bad-address", `Cannot read ${bits} bits from ${where}: a register has 16`);
  }
  // BADC and DCBA swap the two bytes of each register, and with them the bits
  const read = registerReader("uint16", wordOrder);
  const mask = 2 ** bits - 1;
  const number = conversion({ raw: bits === 1 ? "bit" : "uint16", type, scale, offset: bias });
  const rawAt = (data: DataView, at: number) => ((read(data, at) as number) >> bit) & mask;
  const counts = (value: Value) => {
    const given = Number(number.toRaw(value));
    if (given > mask) {
      throw new AppError("mapper/value-out-of-range", `Cannot write ${given} to ${where}: ${bits} bits hold ${mask}`);
    }
    return given;
  };
  const onWire = (word: number) => wordOf(registerBytes("uint16", wordOrder, word));
  return {
    length: 1,
    form: {
      is: "mask",
      of: (value) => ({ bits: onWire(mask << bit), value: onWire(counts(value) << bit) }),
    },
    ...reading(number, bits === 1 ? (data, at) => rawAt(data, at) === 1 : rawAt),
  };
}

function registersAt(visitor: Visitor, type: ValueType): Resolved {
  const { table, offset, wordOrder, scale, bias } = visitor;
  const raw = visitor.raw ?? rawOf(type);
  if (raw === "string" || raw === "bytes") return blockOf(visitor, raw, type);
  if (raw === "bcd16" || raw === "bcd32") return bcdOf(visitor, raw === "bcd16" ? "uint16" : "uint32", type);
  if (visitor.bits !== 1) {
    throw new AppError(
      "mapper/bad-address",
      `Cannot read ${visitor.bits} bits of ${table} ${offset}: bit says from where`,
    );
  }
  const number = conversion({ raw, type, scale, offset: bias });
  return {
    length: registersOf(raw),
    // toRaw of a number type gives a number
    form: { is: "registers", of: (value) => registerBytes(raw, wordOrder, number.toRaw(value) as number | bigint) },
    ...reading(number, registerReader(raw, wordOrder)),
  };
}

function bcdOf({ wordOrder, scale, bias }: Visitor, word: "uint16" | "uint32", type: ValueType): Resolved {
  const number = conversion({ raw: "uint32", type, scale, offset: bias });
  const read = registerReader(word, wordOrder);
  const most = word === "uint16" ? 9999 : 99_999_999;
  return {
    length: registersOf(word),
    form: {
      is: "registers",
      of: (value) => {
        const counts = Number(number.toRaw(value));
        if (counts > most) {
          throw new AppError(
            "mapper/value-out-of-range",
            `Cannot write ${counts} as decimal digits: need at most ${most}`,
          );
        }
        return registerBytes(word, wordOrder, toBcd(counts));
      },
    },
    valueAt: (data, at) => {
      const counts = fromBcd(read(data, at) as number);
      return counts === null ? null : number.toValue(counts);
    },
    reasonAt: (data, at) => {
      const counts = fromBcd(read(data, at) as number);
      return counts === null ? "mapper/bad-answer" : number.reasonFor(counts);
    },
  };
}

/** Text or bytes. */
function blockOf(visitor: Visitor, raw: "string" | "bytes", type: ValueType): Resolved {
  const { table, offset, length, wordOrder, encoding, padding, scale, bias } = visitor;
  if (type !== raw)
    throw new AppError("mapper/unsupported", `Cannot read "${raw}" as "${type}" from ${table} ${offset}`);
  if (length === undefined) throw new AppError("mapper/bad-address", `Cannot read "${raw}": length is missing`);
  if (scale !== 1 || bias !== 0)
    throw new AppError("mapper/bad-address", `Cannot scale "${raw}" of ${table} ${offset}`);
  const bytes = length * 2;
  const order = orderedBytes(bytes, wordOrder);
  const take = (data: DataView, at: number) => order(new Uint8Array(data.buffer, data.byteOffset + at, bytes));
  const refused = (need: string) =>
    new AppError("mapper/value-out-of-range", `Cannot write ${table} ${offset}: need ${need}`);
  return {
    length,
    form: {
      is: "registers",
      of: (value) => {
        if (raw === "string") {
          if (typeof value !== "string") throw refused("a string");
          return order(encodeText(value, { encoding, padding, length: bytes }));
        }
        if (!(value instanceof Uint8Array) || value.length !== bytes) throw refused(`${bytes} bytes`);
        return order(value);
      },
    },
    valueAt: raw === "bytes" ? take : (data, at) => decodeText(take(data, at), { encoding, padding }),
    reasonAt: () => "mapper/bad-answer",
  };
}

function reading(
  { toValue, reasonFor }: Conversion,
  rawAt: (data: DataView, at: number) => RawValue,
): Pick<Resolved, "valueAt" | "reasonAt"> {
  return {
    valueAt: (data, at) => toValue(rawAt(data, at)),
    reasonAt: (data, at) => reasonFor(rawAt(data, at)),
  };
}

function wordOf(bytes: Uint8Array): number {
  return bytes[0]! * 256 + bytes[1]!;
}

function isNumber(raw: RegisterType): raw is RawType {
  return (rawTypes as readonly string[]).includes(raw);
}

/** A register has 16 bits, so smaller types lie in one. */
function rawOf(type: ValueType): RegisterType {
  if (type === "int8") return "int16";
  if (type === "uint8" || type === "bool") return "uint16";
  const raw = rawTypes.find((known) => known === type);
  if (raw === undefined) throw new AppError("mapper/unsupported", `Cannot read "${type}" from registers: say raw`);
  return raw;
}
