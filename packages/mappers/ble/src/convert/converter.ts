import { AppError, type ErrorCode, integerBounds, isIntegerType, type Value, type ValueType } from "@penstock/model";
import type { Visitor } from "../fields.ts";
import { type ByteRange, byteRange, bytesOf } from "./byte-range.ts";
import { along, alongFloat, back, backFloat, type Line, lineOf } from "./operations.ts";

/** A value, or why there is none. */
export type Converted = { readonly value: Value } | { readonly value: null; readonly reason: ErrorCode };

/** Bytes of a characteristic ↔ value of a property. Made once a point. */
export interface Converter {
  read(bytes: Uint8Array): Converted;
  /**
   * The bytes to write.
   *
   * @param present  what the characteristic holds; asked for only where `needsPresent`
   * @throws AppError mapper/value-out-of-range, mapper/bad-answer when what it holds is too short
   */
  write(value: Value, present?: Uint8Array): Uint8Array;
  /** bytes or bits around the value must stay as they are */
  readonly needsPresent: boolean;
}
type Raw = NonNullable<Visitor["raw"]>;
interface Shape {
  readonly raw: Raw;
  readonly range: ByteRange;
  readonly mask: bigint | null;
  readonly left: bigint;
  readonly right: bigint;
  readonly line: Line;
  readonly type: ValueType;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
/** a number of more bytes has no type here */
const mostNumberBytes = 8;

/** @throws AppError mapper/unsupported when such a value cannot be made of such bytes */
export function converter(visitor: Visitor, type: ValueType): Converter {
  const { words } = visitor;
  if (words !== undefined) return wordConverter(words, byteRange(visitor.start, visitor.end, null));
  const raw = visitor.raw ?? (type === "string" ? "text" : type === "bytes" ? "bytes" : "unsigned");
  const own = raw === "float32" ? 4 : raw === "float64" ? 8 : null;
  const range = byteRange(visitor.start, visitor.end, own);
  const unsupported = (why: string) => new AppError("mapper/unsupported", `Cannot take "${raw}" as "${type}": ${why}`);
  if (own !== null && range.length !== own) throw unsupported(`its range must be ${own} bytes`);
  if (raw === "text" || raw === "bytes") {
    if (raw === "text" ? type !== "string" : type !== "bytes") throw unsupported(`the property's type does not fit`);
    return plainConverter(raw, range);
  }
  if (type === "string" || type === "bytes" || type === "json") throw unsupported("a number is needed");
  if (range.length !== null && range.length > mostNumberBytes) throw unsupported(`at most ${mostNumberBytes} bytes`);
  const line = lineOf(visitor.operations ?? []);
  if (line === null) throw unsupported("an operation with 0 has no way back");
  const mask = visitor.mask === undefined ? null : BigInt(visitor.mask);
  const [left, right] = [BigInt(visitor.shiftLeft ?? 0), BigInt(visitor.shiftRight ?? 0)];
  return numberConverter({ raw, range, mask, left, right, line, type });
}

/** For what is a number from the beginning, such as a received strength. @throws AppError mapper/unsupported */
export function numberReader({ operations }: Visitor, type: ValueType): (given: number) => Converted {
  const line = lineOf(operations ?? []);
  if (line === null || type === "string" || type === "bytes" || type === "json")
    throw new AppError("mapper/unsupported", `Cannot take a number as "${type}"`);
  return (given) => (Number.isInteger(given) ? typed(along(line, BigInt(given)), type) : notFinite);
}

const tooShort: Converted = { value: null, reason: "mapper/bad-answer" };
const outOfRange: Converted = { value: null, reason: "mapper/value-out-of-range" };
const notFinite: Converted = { value: null, reason: "mapper/value-not-finite" };

/** KubeEdge's dataWrite: words that stand for bytes. */
function wordConverter(words: readonly string[], range: ByteRange): Converter {
  const known = words.map((text) => {
    const at = text.indexOf("=");
    return { word: text.slice(0, at), bytes: Buffer.from(text.slice(at + 1), "hex") };
  });
  return {
    needsPresent: range.from > 0,
    read: (value) => {
      const bytes = bytesOf(range, value);
      if (bytes === null) return tooShort;
      const found = known.find((one) => one.bytes.equals(bytes));
      return found === undefined ? outOfRange : { value: found.word };
    },
    write: (value, present) => {
      const found = known.find((one) => one.word === value);
      if (found === undefined) throw refused(value, `want one of ${known.map(({ word }) => word).join(", ")}`);
      return placed(range, found.bytes, present);
    },
  };
}

function plainConverter(raw: "text" | "bytes", range: ByteRange): Converter {
  return {
    needsPresent: range.from > 0,
    read: (value) => {
      const bytes = bytesOf(range, value);
      if (bytes === null) return tooShort;
      if (raw === "bytes") return { value: bytes };
      try {
        // Fixed fields are filled up with zeroes, which are no part of the text.
        return { value: utf8.decode(bytes).replace(/\0+$/, "") };
      } catch {
        return tooShort;
      }
    },
    write: (value, present) => {
      const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
      if (!(bytes instanceof Uint8Array)) throw refused(value, raw === "text" ? "want text" : "want bytes");
      const room = range.length ?? 512 - range.from;
      if (bytes.length > room) throw refused(value, `${bytes.length} bytes, room for ${room}`);
      if (raw === "bytes" && range.length !== null && bytes.length < room)
        throw refused(value, `${bytes.length} bytes, want ${room}`);
      const filled = new Uint8Array(range.length ?? bytes.length);
      filled.set(bytes);
      return placed(range, filled, present);
    },
  };
}

function numberConverter(shape: Shape): Converter {
  const { raw, range, mask, line } = shape;
  const isFloat = raw === "float32" || raw === "float64";
  return {
    needsPresent: range.from > 0 || mask !== null,
    read: (value) => {
      const bytes = bytesOf(range, value);
      if (bytes === null || bytes.length === 0 || bytes.length > mostNumberBytes) return tooShort;
      if (isFloat) {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        const number = alongFloat(line, raw === "float32" ? view.getFloat32(0) : view.getFloat64(0));
        return Number.isFinite(number) ? typed(number, shape.type) : notFinite;
      }
      const whole = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
      return typed(along(line, shifted(whole, bytes.length, shape)), shape.type);
    },
    write: (value, present) => {
      const length = range.length ?? present?.length ?? lengthOfType(shape.type);
      const given = typeof value === "boolean" ? Number(value) : value;
      if (typeof given !== "number" && typeof given !== "bigint") throw refused(value, "want a number");
      const bytes = isFloat ? floatBytes(raw, line, given) : wholeBytes(shape, given, length, present);
      return placed(range, bytes, present);
    },
  };
}

/** Mask, sign and shifts, as far as the device's own numbers go. */
function shifted(whole: bigint, length: number, { raw, mask, left, right }: Shape): bigint {
  if (mask !== null) whole &= mask;
  if (raw === "signed") whole = BigInt.asIntN(length * 8, whole);
  return (whole << left) >> right;
}

function wholeBytes(shape: Shape, value: number | bigint, length: number, present?: Uint8Array): Uint8Array {
  const { raw, range, mask, left, right, line } = shape;
  const counts = back(line, value);
  const whole = counts === null ? null : (counts << right) >> left;
  // What the shifts would lose is not written: the device would hold another value than the one that was set.
  if (whole === null || (whole << left) >> right !== counts) throw refused(value, "a shift would cut it");
  const bits = length * 8;
  const fits = raw === "signed" ? BigInt.asIntN(bits, whole) === whole : BigInt.asUintN(bits, whole) === whole;
  if (!fits) throw refused(value, `${whole} is not a number of ${length} bytes, ${raw}`);
  let all = BigInt.asUintN(bits, whole);
  if (mask !== null) {
    if ((all & ~mask) !== 0n) throw refused(value, "it has bits that do not count");
    const before = bytesOf(range, present ?? new Uint8Array());
    if (before === null || before.length === 0) throw tooShortToKeep();
    all |= BigInt(`0x${Buffer.from(before).toString("hex")}`) & ~mask;
  }
  return Buffer.from(all.toString(16).padStart(length * 2, "0"), "hex");
}

function floatBytes(raw: "float32" | "float64", line: Line, value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(raw === "float32" ? 4 : 8);
  const number = backFloat(line, Number(value));
  const view = new DataView(bytes.buffer);
  if (raw === "float32") view.setFloat32(0, number);
  else view.setFloat64(0, number);
  const held = raw === "float32" ? view.getFloat32(0) : number;
  if (!Number.isFinite(held)) throw refused(value, `a ${raw} cannot hold it`);
  return bytes;
}

/** What goes to the device: the value's bytes, in what it holds where they are only a part of it. */
function placed({ from, length, isBackwards }: ByteRange, bytes: Uint8Array, present?: Uint8Array): Uint8Array {
  const inOrder = isBackwards ? Uint8Array.from(bytes).reverse() : bytes;
  if (present === undefined) return inOrder;
  if (from + (length ?? 0) > present.length) throw tooShortToKeep();
  const all = new Uint8Array(Math.max(present.length, from + inOrder.length));
  all.set(present);
  all.set(inOrder, from);
  return all;
}

function typed(value: number | bigint, type: ValueType): Converted {
  if (type === "bool") return { value: Number(value) !== 0 };
  if (isIntegerType(type)) {
    const [low, high] = integerBounds[type];
    const whole = typeof value === "bigint" ? value : BigInt(Math.round(value));
    if (whole < low || whole > high) return outOfRange;
    return { value: type === "int64" || type === "uint64" ? whole : Number(whole) };
  }
  const number = type === "float32" ? Math.fround(Number(value)) : Number(value);
  return Number.isFinite(number) ? { value: number } : outOfRange;
}

/** Bytes of a number whose range nobody has stated. */
function lengthOfType(type: ValueType): number {
  return { int16: 2, uint16: 2, int32: 4, uint32: 4, float32: 4, int64: 8, uint64: 8, float64: 8 }[type as string] ?? 1;
}

function refused(value: Value, why: string): AppError {
  const shown = value instanceof Uint8Array ? `${value.length} bytes` : String(value).slice(0, 80);
  return new AppError("mapper/value-out-of-range", `Cannot write ${shown}: ${why}`);
}

function tooShortToKeep(): AppError {
  return new AppError("mapper/bad-answer", "Cannot write: what the device holds is shorter than where the value lies");
}
