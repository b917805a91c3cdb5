import { AppError } from "@penstock/model";

/** @source Protocol Buffers encoding, "Message Structure" */
export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const utf8 = new TextEncoder();
// Go refuses a string that is no UTF-8; a mapper in C may send one, and then the text is what can be read of it.
const fromUtf8 = new TextDecoder();

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

/** Protobuf fields from bytes that anybody may have sent. Throws AppError input/invalid at what is none. */
export class ProtoReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  tag(): { readonly number: number; readonly wireType: number } {
    const tag = Number(this.varint());
    if (tag > 0xffffffff || tag < 8) throw broken("a field has no number");
    return { number: Math.floor(tag / 8), wireType: tag % 8 };
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw broken("it ends within a number");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw broken("a number has more than 10 bytes");
  }

  bytes(): Uint8Array {
    return this.#take(Number(this.varint()));
  }

  text(): string {
    return fromUtf8.decode(this.bytes());
  }

  message(): ProtoReader {
    return new ProtoReader(this.bytes());
  }

  float(): number {
    const four = this.#take(4);
    return new DataView(four.buffer, four.byteOffset, 4).getFloat32(0, true);
  }

  skip(wireType: number): void {
    switch (wireType) {
      case wireTypes.varint:
        this.varint();
        break;
      case wireTypes.fixed64:
        this.#take(8);
        break;
      case wireTypes.bytes:
        this.bytes();
        break;
      case wireTypes.fixed32:
        this.#take(4);
        break;
      default:
        throw broken(`wire type ${wireType}`);
    }
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw broken("it ends within a field");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

function broken(why: string): AppError {
  return new AppError("input/invalid", `Cannot read a message: ${why}`);
}
