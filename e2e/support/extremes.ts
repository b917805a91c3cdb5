import type { ErrorCode, ValueType } from "@penstock/model";
import type { RawType, WordOrder } from "@penstock/testkit";

/** One property of the device of the value types: what lies in its registers, and what must be seen of it everywhere. */
export interface Extreme {
  readonly property: string;
  readonly type: ValueType;
  readonly raw: RawType;
  readonly wordOrder: WordOrder;
  /** what the plant holds at first */
  readonly held: number | bigint;
  /** as JSON of the API and of the flat MQTT topic */
  readonly json: string | number | boolean | null;
  /** as text on KubeEdge's topic; null = left out there */
  readonly text: string | null;
  readonly reason: ErrorCode | null;
  /** then set: as JSON, as the registers hold it, and as people type it */
  readonly set: {
    readonly json: string | number | boolean;
    readonly held: number | bigint;
    readonly text: string;
  } | null;
}

type Given = Pick<Extreme, "type" | "held" | "json"> & Partial<Pick<Extreme, "raw" | "set" | "reason">>;

/** float32 closest to 0.1, as a float64: what a careless conversion would print */
export const float32Tenth = Math.fround(0.1);
const float32Max = 3.4028234663852886e38;
const float32Least = 1.401298464324817e-45;

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const uint64Max = 2n ** 64n - 1n;

/**
 * Every type that registers can carry, at both ends of its range. `string`, `bytes` and `json` have no register form in the
 * Modbus mapper; their round trip through wire and store is held by packages/wire/src/batch.test.ts,
 * packages/cloud/src/store/codec/chunk.test.ts and packages/model/src/value-json.test.ts. int8 and uint8 lie in a register of 16
 * bits, so what does not fit them is seen too.
 */
export const extremes: readonly Extreme[] = list({
  bool0: { type: "bool", raw: "uint16", held: 0, json: false, set: set(true, 1) },
  bool1: { type: "bool", raw: "uint16", held: 1, json: true, set: set(false, 0) },
  i8min: { type: "int8", raw: "int16", held: -128, json: -128, set: set(127, 127) },
  i8max: { type: "int8", raw: "int16", held: 127, json: 127, set: set(-128, -128) },
  i8over: { type: "int8", raw: "int16", held: 128, json: null, reason: "mapper/value-out-of-range" },
  u8min: { type: "uint8", raw: "uint16", held: 0, json: 0, set: set(255, 255) },
  u8max: { type: "uint8", raw: "uint16", held: 255, json: 255, set: set(0, 0) },
  u8over: { type: "uint8", raw: "uint16", held: 256, json: null, reason: "mapper/value-out-of-range" },
  i16min: { type: "int16", held: -32768, json: -32768, set: set(32767, 32767) },
  i16max: { type: "int16", held: 32767, json: 32767, set: set(-32768, -32768) },
  u16min: { type: "uint16", held: 0, json: 0, set: set(65535, 65535) },
  u16max: { type: "uint16", held: 65535, json: 65535, set: set(0, 0) },
  i32min: { type: "int32", held: -2147483648, json: -2147483648, set: set(2147483647, 2147483647) },
  i32max: { type: "int32", held: 2147483647, json: 2147483647, set: set(-2147483648, -2147483648) },
  u32min: { type: "uint32", held: 0, json: 0, set: set(4294967295, 4294967295) },
  u32max: { type: "uint32", held: 4294967295, json: 4294967295, set: set(0, 0) },
  i64min: { type: "int64", held: int64.min, json: `${int64.min}`, set: set(`${int64.max}`, int64.max) },
  i64max: { type: "int64", held: int64.max, json: `${int64.max}`, set: set(`${int64.min}`, int64.min) },
  i64small: { type: "int64", held: -1n, json: "-1", set: set("0", 0n) },
  u64min: { type: "uint64", held: 0n, json: "0", set: set(`${uint64Max}`, uint64Max) },
  u64max: { type: "uint64", held: uint64Max, json: `${uint64Max}`, set: set("9007199254740993", 9007199254740993n) },
  f32tenth: { type: "float32", held: float32Tenth, json: 0.1, set: set(16777217.5, 16777218) },
  f32max: { type: "float32", held: float32Max, json: 3.4028235e38, set: set(-3.4028235e38, -float32Max) },
  f32least: { type: "float32", held: float32Least, json: 1e-45, set: set(0.2, Math.fround(0.2)) },
  f32nan: { type: "float32", held: Number.NaN, json: null, reason: "mapper/value-not-finite", set: set(1.5, 1.5) },
  f32inf: { type: "float32", held: Number.POSITIVE_INFINITY, json: null, reason: "mapper/value-not-finite" },
  f64tenth: { type: "float64", held: 0.1, json: 0.1, set: set(0.30000000000000004, 0.30000000000000004) },
  f64max: {
    type: "float64",
    held: Number.MAX_VALUE,
    json: Number.MAX_VALUE,
    set: set(-Number.MAX_VALUE, -Number.MAX_VALUE),
  },
  f64least: { type: "float64", held: 5e-324, json: 5e-324, set: set(-5e-324, -5e-324) },
  f64nan: { type: "float64", held: Number.NaN, json: null, reason: "mapper/value-not-finite" },
  f64inf: { type: "float64", held: Number.NEGATIVE_INFINITY, json: null, reason: "mapper/value-not-finite" },
});

function set(json: string | number | boolean, held: number | bigint) {
  return { json, held, text: String(json) };
}

/** Both word orders, in turn, so that each width is read and written in both. */
function list(given: Readonly<Record<string, Given>>): Extreme[] {
  return Object.entries(given).map(([property, one], i) => ({
    property,
    raw: one.type as RawType,
    wordOrder: i % 2 === 0 ? "ABCD" : "CDAB",
    text: one.json === null ? null : String(one.json),
    reason: null,
    set: null,
    ...one,
  }));
}
