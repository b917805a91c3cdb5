import { type Conversion, conversion } from "@penstock/mapper-sdk";
import { AppError, type ErrorCode, fieldsOf, type Range, type Value, type ValueType } from "@penstock/model";
import { addressText, widthOf } from "./address-text.ts";
import { type Area, type AreaName, areas } from "./areas.ts";
import type { S7Point, Visitor } from "./point.ts";
import { textTypes } from "./text-and-time.ts";
import { isNumberName, noSuchNumber, numberTypes, type S7Type, typeOf } from "./types.ts";

/** What is sent to write a value: bytes to a place, or one bit. */
export interface WriteForm {
  readonly place: number;
  readonly data: Uint8Array;
  readonly bit: number | null;
}

/** A point, resolved: where it lies and how its bytes become a value. Places are bytes; of timers and counters, numbers. */
export interface ResolvedPoint extends Range {
  readonly area: Area;
  readonly db: number;
  /** null when the bytes have no value of the type; `reasonAt` says why. @param at byte position of the point */
  readonly valueAt: (data: DataView, at: number) => Value;
  readonly reasonAt: (data: DataView, at: number) => ErrorCode;
  /** @throws AppError mapper/value-out-of-range when the value does not fit */
  readonly write: (value: Value) => WriteForm;
}

/** Where a point lies, whichever way it was written. */
interface Place {
  readonly name: string;
  readonly areaName: AreaName;
  readonly area: Area;
  readonly db: number;
  readonly start: number;
  readonly bit: number | undefined;
}
type Resolved = Pick<ResolvedPoint, "length" | "valueAt" | "reasonAt" | "write">;

/** @throws AppError mapper/bad-address or mapper/unsupported when the fields contradict each other */
export function resolvePoint(point: Pick<S7Point, "address" | "visitor" | "type">): ResolvedPoint {
  const { visitor, type } = point;
  const place = placeOf(point);
  const s7 = s7TypeOf(visitor, place, type);
  const resolved = place.area.isByBytes ? memoryAt(place, s7, point) : countedAt(place, s7, point);
  const { area, db, start } = place;
  if (start + resolved.length > 65536) {
    throw badAddress(`Cannot read ${resolved.length} bytes from ${place.name}: the last is 65535`);
  }
  return { area, db, start, ...resolved };
}

function placeOf({ address, visitor }: Pick<S7Point, "address" | "visitor">): Place {
  const { address: text } = visitor;
  let { area: areaName, db, offset, bit } = visitor;
  if (text !== undefined) {
    const found = fieldsOf(addressText, text);
    if (found === null) throw badAddress(`Cannot read "${text}": no address of a PLC`);
    // The shorthand's own words: an area's name, and digits.
    areaName = found["visitor.area"] as AreaName;
    db = found["visitor.db"] as number | undefined;
    offset = found["visitor.offset"] as number;
    bit = found["visitor.bit"] as number | undefined;
  }
  if (offset === undefined) throw badAddress("Cannot read a point without address or offset");
  const area = areas[areaName];
  const block = areaName === "DB" ? (db ?? address.db) : 0;
  const name = text ?? `${areaName}${areaName === "DB" ? ` ${block ?? "?"}` : ""} at ${offset}`;
  if (block === undefined)
    throw badAddress(`Cannot read ${name}: neither the visitor nor the device names a data block`);
  if (block > 65535) throw badAddress(`Cannot read ${name}: the last data block is 65535`);
  if (areaName !== "DB" && db !== undefined) throw badAddress(`Cannot read ${name}: only area DB has data blocks`);
  return { name, areaName, area, db: block, start: offset, bit };
}

function s7TypeOf(visitor: Visitor, { name, areaName, area, bit }: Place, type: ValueType): S7Type {
  const implied =
    bit !== undefined ? "bool" : areaName === "T" ? "s5time" : areaName === "C" ? "counter" : typeOf[type];
  const s7 = visitor.type ?? implied;
  if (s7 === undefined) throw new AppError("mapper/unsupported", `Cannot read ${name} as "${type}": state its type`);
  if ((s7 === "bool") !== (bit !== undefined)) {
    throw badAddress(`Cannot read ${name} as ${s7}: bool has a bit, and nothing else has one`);
  }
  const bytes = isNumberName(s7) ? numberTypes[s7].bytes : 1;
  if (!area.isByBytes && (!isNumberName(s7) || bytes !== 2)) {
    throw badAddress(`Cannot read ${name} as ${s7}: timers and counters are words`);
  }
  const width = visitor.address === undefined ? null : widthOf(visitor.address);
  if (width !== null && width !== bytes) {
    throw badAddress(`Cannot read ${name} as ${s7}: that has ${bytes} bytes, the address names ${width}`);
  }
  return s7;
}

function memoryAt(place: Place, s7: S7Type, { visitor, type }: Pick<S7Point, "visitor" | "type">): Resolved {
  if (s7 === "bool") return bitAt(place, visitor, type);
  if (isNumberName(s7)) return numberAt(place, s7, { visitor, type });
  const { scale, bias, length = s7 === "date_and_time" || s7 === "dtl" ? 0 : undefined } = visitor;
  const { name, start } = place;
  if (length === undefined) throw badAddress(`Cannot read ${s7} at ${name}: length is missing`);
  if (scale !== 1 || bias !== 0) throw badAddress(`Cannot scale ${s7} at ${name}`);
  if (s7 === "bytes") {
    if (type !== "bytes") throw new AppError("mapper/unsupported", `Cannot read bytes at ${name} as "${type}"`);
    return {
      length,
      valueAt: (data, at) => new Uint8Array(data.buffer.slice(data.byteOffset + at, data.byteOffset + at + length)),
      reasonAt: () => noSuchNumber,
      write: (value) => {
        if (!(value instanceof Uint8Array) || value.length !== length) throw refused(place, `${length} bytes`);
        return { place: start, data: value, bit: null };
      },
    };
  }
  if (type !== "string") throw new AppError("mapper/unsupported", `Cannot read ${s7} at ${name} as "${type}"`);
  if (s7 === "string" && length > 254) throw badAddress(`Cannot read ${name}: a string has at most 254 characters`);
  const text = textTypes[s7];
  const bytes = text.bytes(length);
  return {
    length: bytes,
    valueAt: (data, at) => text.get(new Uint8Array(data.buffer, data.byteOffset + at, bytes), length),
    reasonAt: () => noSuchNumber,
    write: (value) => {
      if (typeof value !== "string") throw refused(place, "a string");
      return { place: start + text.skips, data: text.set(value, length), bit: null };
    },
  };
}

function bitAt({ start, bit = 0 }: Place, { scale, bias }: Visitor, type: ValueType): Resolved {
  const flag = conversion({ raw: "bit", type, scale, offset: bias });
  return {
    length: 1,
    valueAt: (data, at) => flag.toValue(((data.getUint8(at) >> bit) & 1) === 1),
    reasonAt: () => noSuchNumber,
    write: (value) => ({ place: start, bit, data: Uint8Array.of(flag.toRaw(value) === true ? 1 : 0) }),
  };
}

function countedAt(place: Place, s7: S7Type, point: Pick<S7Point, "visitor" | "type">): Resolved {
  return { ...memoryAt(place, s7, point), length: 1 };
}

function numberAt(
  place: Place,
  s7: keyof typeof numberTypes,
  { visitor: { scale, bias }, type }: Pick<S7Point, "visitor" | "type">,
): Resolved {
  const { bytes, raw, get, set } = numberTypes[s7];
  const number: Conversion = conversion({ raw, type, scale, offset: bias });
  return {
    length: bytes,
    valueAt: (data, at) => {
      const given = get(data, at);
      return given === null ? null : number.toValue(given);
    },
    reasonAt: (data, at) => {
      const given = get(data, at);
      return given === null ? noSuchNumber : number.reasonFor(given);
    },
    write: (value) => {
      const data = new DataView(new ArrayBuffer(bytes));
      const counts = number.toRaw(value);
      if (!set(data, counts)) throw refused(place, `what ${s7} can hold, not ${counts}`);
      return { place: place.start, bit: null, data: new Uint8Array(data.buffer) };
    },
  };
}

function badAddress(message: string): AppError {
  return new AppError("mapper/bad-address", message);
}
function refused({ name }: Place, need: string): AppError {
  return new AppError("mapper/value-out-of-range", `Cannot write ${name}: need ${need}`);
}
