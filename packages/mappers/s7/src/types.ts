import type { RawType, RawValue } from "@penstock/mapper-sdk";
import type { ErrorCode, ValueType } from "@penstock/model";

/** A number type of a PLC: how it lies in memory, big endian, and which of our numbers it is. */
export interface NumberType {
  readonly bytes: 1 | 2 | 4 | 8;
  readonly raw: RawType;
  /** null: the bytes are no such value */
  readonly get: (data: DataView, at: number) => RawValue | null;
  /** false: the type cannot hold the value, and nothing is set */
  readonly set: (data: DataView, raw: RawValue) => boolean;
}

const number = (
  bytes: NumberType["bytes"],
  raw: RawType,
  get: (data: DataView, at: number) => number | bigint,
  set: (data: DataView, raw: never) => void,
  bounds: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
): NumberType => ({
  ...{ bytes, raw, get },
  set: (data, value) => {
    if (Number(value) < bounds[0] || Number(value) > bounds[1]) return false;
    // The conversion before it gives what the raw type says: bigint for 64-bit integers, else number.
    set(data, value as never);
    return true;
  },
});

/** Counts that the PLC keeps as decimal digits of four bits each. */
const bcd = (data: DataView, at: number): number | null => {
  const word = data.getUint16(at) & 0xfff;
  const [a, b, c] = [word >> 8, (word >> 4) & 15, word & 15];
  return a! > 9 || b! > 9 || c! > 9 ? null : a! * 100 + b! * 10 + c!;
};
const toBcd = (counts: number) =>
  (Math.floor(counts / 100) << 8) | ((Math.floor(counts / 10) % 10) << 4) | (counts % 10);

/** Milliseconds of one count of an S5TIME, by its time base. @source STEP 7, format of S5TIME: bits 12 and 13 */
const s5Bases = [10, 100, 1000, 10_000] as const;
const s5time: NumberType = {
  bytes: 2,
  raw: "uint32",
  get: (data, at) => {
    const counts = bcd(data, at);
    return counts === null ? null : counts * s5Bases[(data.getUint16(at) >> 12) & 3]!;
  },
  set: (data, given) => {
    const ms = Number(given);
    // The finest base that holds it exactly; what no base holds is refused, never rounded.
    const base = s5Bases.findIndex((each) => ms % each === 0 && ms / each <= 999);
    if (base < 0) return false;
    data.setUint16(0, (base << 12) | toBcd(ms / s5Bases[base]!));
    return true;
  },
};
const counter: NumberType = {
  bytes: 2,
  raw: "uint16",
  get: bcd,
  set: (data, counts) => {
    if (Number(counts) > 999) return false;
    data.setUint16(0, toBcd(Number(counts)));
    return true;
  },
};

const u8 = number(
  1,
  "uint16",
  (d, at) => d.getUint8(at),
  (d, v: number) => d.setUint8(0, v),
  [0, 255],
);
const i16 = number(
  2,
  "int16",
  (d, at) => d.getInt16(at),
  (d, v: number) => d.setInt16(0, v),
);
const u16 = number(
  2,
  "uint16",
  (d, at) => d.getUint16(at),
  (d, v: number) => d.setUint16(0, v),
);
const i32 = number(
  4,
  "int32",
  (d, at) => d.getInt32(at),
  (d, v: number) => d.setInt32(0, v),
);
const u32 = number(
  4,
  "uint32",
  (d, at) => d.getUint32(at),
  (d, v: number) => d.setUint32(0, v),
);
const u64 = number(
  8,
  "uint64",
  (d, at) => d.getBigUint64(at),
  (d, v: bigint) => d.setBigUint64(0, v),
);

/** The PLC's own words for its numbers. @source IEC 61131-3:2013, table 10; STEP 7 for S5TIME and counters */
export const numberTypes = {
  byte: u8,
  usint: u8,
  sint: number(
    1,
    "int16",
    (d, at) => d.getInt8(at),
    (d, v: number) => d.setInt8(0, v),
    [-128, 127],
  ),
  word: u16,
  uint: u16,
  int: i16,
  dword: u32,
  udint: u32,
  dint: i32,
  lword: u64,
  ulint: u64,
  lint: number(
    8,
    "int64",
    (d, at) => d.getBigInt64(at),
    (d, v: bigint) => d.setBigInt64(0, v),
  ),
  real: number(
    4,
    "float32",
    (d, at) => d.getFloat32(at),
    (d, v: number) => d.setFloat32(0, v),
  ),
  lreal: number(
    8,
    "float64",
    (d, at) => d.getFloat64(at),
    (d, v: number) => d.setFloat64(0, v),
  ),
  // milliseconds
  time: i32,
  s5time,
  counter,
} as const satisfies Record<string, NumberType>;
export type NumberName = keyof typeof numberTypes;

export const blockTypes = ["string", "wstring", "chars", "bytes", "date_and_time", "dtl"] as const;
export const s7Types = ["bool", ...(Object.keys(numberTypes) as NumberName[]), ...blockTypes] as const;
export type S7Type = (typeof s7Types)[number];

export function isNumberName(type: S7Type): type is NumberName {
  return Object.hasOwn(numberTypes, type);
}

/** The type that follows from the property's own, where the visitor says none; undefined: none does. */
export const typeOf: Readonly<Partial<Record<ValueType, S7Type>>> = {
  bool: "bool",
  int8: "sint",
  uint8: "usint",
  int16: "int",
  uint16: "uint",
  int32: "dint",
  uint32: "udint",
  int64: "lint",
  uint64: "ulint",
  float32: "real",
  float64: "lreal",
};

/** What a number that its type does not allow, such as a digit above 9, is told as. */
export const noSuchNumber: ErrorCode = "mapper/bad-answer";
