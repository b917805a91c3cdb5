import { AppError } from "@penstock/model";
import { ZonedInstant } from "../functions/time/part-zoned-instant.ts";
import type { Saved } from "./saved.ts";
import { Instant, type ObjectValue, type Value } from "./value.ts";

/**
 * Bytes of a value: a tag, then what it has. Lengths and counts are u32, numbers f64, both little-endian; a bigint is
 * decimal text, since one may be longer than 64 bits. Every number comes back bit by bit, NaN, -0 and infinities too.
 */
const tags = {
  ...{ null: 0, false: 1, true: 2, float: 3, integer: 4, bigint: 5, text: 6, bytes: 7 },
  ...{ instant: 8, zoned: 9, array: 10, struct: 11 },
} as const;
/** deeper than any value that the engine makes; a value that is deeper is refused, not a stack that overflows */
const mostDepth = 1000;
const version = 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** @throws AppError data/corrupt for what is nested deeper than it could be read back */
export function encodeSaved(saved: Saved): Uint8Array {
  const writer = new Writer();
  writer.byte(version);
  write(writer, saved, 0);
  return writer.bytes();
}

/** As `encodeSaved`. @returns null where it would have more bytes: no more than these are made */
export function encodeSavedWithin(most: number, saved: Saved): Uint8Array | null {
  const writer = new Writer(most);
  try {
    writer.byte(version);
    write(writer, saved, 0);
  } catch (error) {
    if (error instanceof TooLarge) return null;
    throw error;
  }
  return writer.bytes();
}

/** @throws AppError data/corrupt for what `encodeSaved` of this version did not make */
export function decodeSaved(bytes: Uint8Array): Saved {
  const reader = new Reader(bytes);
  if (reader.byte() !== version) throw corrupt("another version");
  const value = read(reader, 0);
  if (!reader.isAtEnd) throw corrupt("bytes behind the value");
  return value;
}

function corrupt(what: string): AppError {
  return new AppError("data/corrupt", `Cannot read the saved state of a rule: ${what}`);
}

function write(to: Writer, value: Value, depth: number): void {
  if (depth > mostDepth)
    throw new AppError("data/corrupt", `Cannot save the state of a rule: deeper than ${mostDepth}`);
  if (value === null || value === undefined) to.byte(tags.null);
  else if (typeof value === "boolean") to.byte(value ? tags.true : tags.false);
  else if (typeof value === "number") {
    to.byte(tags.float);
    to.float(value);
  } else if (typeof value === "bigint") writeInteger(to, value);
  else if (typeof value === "string") {
    to.byte(tags.text);
    to.text(value);
  } else if (value instanceof Uint8Array) {
    to.byte(tags.bytes);
    to.block(value);
  } else if (value instanceof Instant) {
    to.byte(value instanceof ZonedInstant ? tags.zoned : tags.instant);
    to.float(value.micros);
    if (value instanceof ZonedInstant) to.text(value.timeZone);
  } else if (Array.isArray(value)) {
    to.byte(tags.array);
    to.count(value.length);
    for (const one of value as readonly Value[]) write(to, one, depth + 1);
  } else {
    const names = Object.keys(value);
    to.byte(tags.struct);
    to.count(names.length);
    for (const name of names) {
      to.text(name);
      write(to, (value as ObjectValue)[name]!, depth + 1);
    }
  }
}

function writeInteger(to: Writer, value: bigint): void {
  if (BigInt.asIntN(64, value) === value) {
    to.byte(tags.integer);
    to.integer(value);
    return;
  }
  to.byte(tags.bigint);
  to.text(String(value));
}

function read(from: Reader, depth: number): Value {
  if (depth > mostDepth) throw corrupt("too deep");
  const tag = from.byte();
  switch (tag) {
    case tags.null:
      return null;
    case tags.false:
      return false;
    case tags.true:
      return true;
    case tags.float:
      return from.float();
    case tags.integer:
      return from.integer();
    case tags.bigint: {
      const text = from.text();
      if (!/^-?\d+$/.test(text)) throw corrupt("no integer");
      return BigInt(text);
    }
    case tags.text:
      return from.text();
    case tags.bytes:
      return from.block().slice();
    case tags.instant:
      return new Instant(from.float());
    case tags.zoned:
      return new ZonedInstant(from.float(), from.text());
    case tags.array: {
      const length = from.count();
      const values: Value[] = [];
      for (let at = 0; at < length; at++) values.push(read(from, depth + 1));
      return values;
    }
    case tags.struct: {
      const length = from.count();
      // No name of a field is one of the language's own.
      const struct = Object.create(null) as { [name: string]: Value };
      for (let at = 0; at < length; at++) {
        const name = from.text();
        struct[name] = read(from, depth + 1);
      }
      return struct;
    }
    default:
      throw corrupt(`tag ${tag}`);
  }
}

class TooLarge extends Error {}

class Writer {
  readonly #most: number;
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  #room(more: number): number {
    const at = this.#length;
    this.#length += more;
    if (this.#length > this.#most) throw new TooLarge();
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  byte(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  count(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  float(value: number): void {
    const at = this.#room(8);
    this.#view.setFloat64(at, value, true);
  }

  integer(value: bigint): void {
    const at = this.#room(8);
    this.#view.setBigInt64(at, value, true);
  }

  text(value: string): void {
    // A lone surrogate has no bytes in UTF-8: units of 16 bits keep it.
    if (!value.isWellFormed()) {
      this.count(0xffff_ffff);
      this.count(value.length);
      for (let at = 0; at < value.length; at++) {
        const place = this.#room(2);
        this.#view.setUint16(place, value.charCodeAt(at), true);
      }
      return;
    }
    this.block(encoder.encode(value));
  }

  block(value: Uint8Array): void {
    this.count(value.length);
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw corrupt("cut off");
    this.#at += length;
    return at;
  }

  byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  count(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  float(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  integer(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  text(): string {
    const length = this.count();
    if (length !== 0xffff_ffff) return decoder.decode(this.#span(length));
    const units = this.count();
    const at = this.#take(units * 2);
    let text = "";
    for (let unit = 0; unit < units; unit++) text += String.fromCharCode(this.#view.getUint16(at + unit * 2, true));
    return text;
  }

  block(): Uint8Array {
    return this.#span(this.count());
  }

  #span(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }
}
