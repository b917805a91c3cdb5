import { AppError } from "@penstock/model";

/** @source Protocol Buffers encoding, "Message Structure" */
export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const utf8 = new TextEncoder();

/** Protobuf fields one after the other. */
export class ProtoWriter {
  #buffer = new Uint8Array(64);
  #length = 0;

  varint(number: number, value: bigint): void {
    this.#tag(number, wireTypes.varint);
    this.#big(BigInt.asUintN(64, value));
  }

  text(number: number, value: string): void {
    this.message(number, utf8.encode(value));
  }

  message(number: number, bytes: Uint8Array): void {
    this.#tag(number, wireTypes.bytes);
    this.#small(bytes.length);
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  float(number: number, value: number): void {
    this.#tag(number, wireTypes.fixed32);
    this.#room(4);
    new DataView(this.#buffer.buffer).setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  double(number: number, value: number): void {
    this.#tag(number, wireTypes.fixed64);
    this.#room(8);
    new DataView(this.#buffer.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #tag(number: number, wireType: number): void {
    this.#small(number * 8 + wireType);
  }

  #small(value: number): void {
    this.#room(5);
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#buffer[this.#length++] = (rest & 0x7f) | 0x80;
    this.#buffer[this.#length++] = rest;
  }

  #big(value: bigint): void {
    this.#room(10);
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
    this.#buffer[this.#length++] = Number(rest);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + more));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

/**
 * Protobuf fields from bytes that anybody may have sent. Throws AppError input/invalid at what is none. Messages within are
 * read where they lie: thousands of reports come in a second, and each has a dozen.
 */
export class ProtoReader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = at;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** number of the field times eight, and its wire type */
  tag(): number {
    const tag = this.#small();
    if (tag > 0xffffffff || tag < 8) throw broken("a field has no number");
    return tag;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw broken("a number has more than 10 bytes");
  }

  bytes(): Uint8Array {
    const at = this.#pass(this.#small());
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + at, this.#at - at);
  }

  text(): string {
    // Go refuses a string that is no UTF-8; a mapper in C may send one, and then the text is what can be read of it.
    const at = this.#pass(this.#small());
    return this.#bytes.toString("utf8", at, this.#at);
  }

  message(): ProtoReader {
    const at = this.#pass(this.#small());
    return new ProtoReader(this.#bytes, at, this.#at);
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#pass(4));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#pass(8));
  }

  skip(wireType: number): void {
    switch (wireType) {
      case wireTypes.varint:
        this.varint();
        break;
      case wireTypes.fixed64:
        this.#pass(8);
        break;
      case wireTypes.bytes:
        this.#pass(this.#small());
        break;
      case wireTypes.fixed32:
        this.#pass(4);
        break;
      default:
        throw broken(`wire type ${wireType}`);
    }
  }

  #byte(): number {
    if (this.#at >= this.#end) throw broken("it ends within a number");
    return this.#bytes[this.#at++]!;
  }

  /** A number that is mostly below 128, and of use below 2^53 only. */
  #small(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    this.#at--;
    return Number(this.varint());
  }

  /** @returns where what was passed over began */
  #pass(length: number): number {
    if (length > this.#end - this.#at) throw broken("it ends within a field");
    this.#at += length;
    return this.#at - length;
  }
}

function broken(why: string): AppError {
  return new AppError("input/invalid", `Cannot read a message: ${why}`);
}
