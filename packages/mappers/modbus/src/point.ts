import {
  type Conversion,
  conversion,
  float,
  int,
  oneOf,
  type Point,
  type RawType,
  type RawValue,
  rawType,
  rawTypes,
  type Settings,
} from "@penstock/mapper-sdk";
import { AppError, type ValueType } from "@penstock/model";
import { isBitTable, type Table, tables } from "./pdu.ts";
import type { Range } from "./plan.ts";
import { registerReader, registersOf, type WordOrder, wordOrders } from "./registers.ts";

export const addressFields = {
  unitId: int({
    min: 0,
    max: 255,
    default: 1,
    summary: "Unit (slave) behind the address; 0 or 255 for the server itself",
  }),
};
export const visitorFields = {
  table: oneOf([...tables], { summary: "Which of the four tables the value lies in" }),
  offset: int({ min: 0, max: 65535, summary: "Protocol address, counted from 0: manual's 40001 is 0 in holding" }),
  raw: rawType({ optional: true, summary: "Type in the device; the property's own type when missing" }),
  wordOrder: oneOf([...wordOrders], { default: "ABCD", summary: "Order of bytes as the manual prints it for 32 bits" }),
  bit: int({ min: 0, max: 15, optional: true, summary: "One bit of a register, from the lowest" }),
  scale: float({ default: 1, summary: "Engineering units per count" }),
  bias: float({ default: 0, summary: "Engineering units at count 0, added after scaling" }),
  writeWith: oneOf(["auto", "single", "multiple"], {
    default: "auto",
    summary: "Functions 5 and 6, or 15 and 16; auto takes 5 and 6 for one coil or register",
  }),
};
export type Address = Settings<typeof addressFields>;
export type Visitor = Settings<typeof visitorFields>;
export type ModbusPoint = Point<Address, Visitor>;

/** A point, resolved: where it lies and how its bytes become a value. */
export interface ResolvedPoint extends Range {
  readonly unit: number;
  readonly table: Table;
  readonly raw: RawType | "bit";
  readonly wordOrder: WordOrder;
  readonly bit: number | null;
  readonly conversion: Conversion;
  /** @param at byte position of the point's register; for bit tables, position of its bit */
  readonly rawAt: (data: DataView, at: number) => RawValue;
}

/** @throws AppError mapper/bad-address or mapper/unsupported when the fields contradict each other */
export function resolvePoint({ address, visitor, type }: Omit<ModbusPoint, "device" | "property">): ResolvedPoint {
  const { table, offset: start, wordOrder, scale, bias, bit = null } = visitor;
  const base = { unit: address.unitId, table, start, wordOrder };
  if (isBitTable(table)) {
    if (visitor.raw !== undefined || bit !== null) {
      throw new AppError("mapper/bad-address", `Cannot read ${table} ${start}: it has neither raw nor bit`);
    }
    const bits = conversion({ raw: "bit", type, scale, offset: bias });
    return { ...base, length: 1, raw: "bit", bit, conversion: bits, rawAt: bitAt };
  }
  if (bit !== null) {
    if (visitor.raw !== undefined && registersOf(visitor.raw) !== 1) {
      throw new AppError(
        "mapper/bad-address",
        `Cannot read bit ${bit} of ${table} ${start}: "${visitor.raw}" is no register`,
      );
    }
    // BADC and DCBA swap the two bytes of each register, and with them the bits
    const read = registerReader("uint16", wordOrder);
    const flag = conversion({ raw: "bit", type, scale, offset: bias });
    const rawAt = (data: DataView, at: number) => (((read(data, at) as number) >> bit) & 1) === 1;
    return { ...base, length: 1, raw: "bit", bit, conversion: flag, rawAt };
  }
  const raw = visitor.raw ?? rawOf(type);
  const length = registersOf(raw);
  if (start + length > 65536) {
    throw new AppError(
      "mapper/bad-address",
      `Cannot read ${length} registers from ${table} ${start}: the last is 65535`,
    );
  }
  const number = conversion({ raw, type, scale, offset: bias });
  return { ...base, length, raw, bit, conversion: number, rawAt: registerReader(raw, wordOrder) };
}

/** 6.1: the first bit is the lowest of the first byte */
function bitAt(data: DataView, at: number): boolean {
  return ((data.getUint8(at >> 3) >> (at & 7)) & 1) === 1;
}

/** A register has 16 bits, so smaller types lie in one. */
function rawOf(type: ValueType): RawType {
  if (type === "int8") return "int16";
  if (type === "uint8" || type === "bool") return "uint16";
  const raw = rawTypes.find((known) => known === type);
  if (raw === undefined) throw new AppError("mapper/unsupported", `Cannot read "${type}" from registers`);
  return raw;
}
