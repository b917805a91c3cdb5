import { broken } from "./broken.ts";
import { type DBusType, typesOf } from "./signature.ts";

/** What a message carries, read: variants are what is in them, arrays of bytes are bytes, dictionaries are maps. */
export type DBusValue =
  | number
  | bigint
  | boolean
  | string
  | Uint8Array
  | readonly DBusValue[]
  | ReadonlyMap<DBusValue, DBusValue>;

const mostDepth = 64;
const utf8 = new TextDecoder();

/** Reads values from bytes that anybody may have sent. Every method throws mapper/bad-answer instead of going beyond. */
export class BodyReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #isLittle: boolean;
  #at: number;
  #depth = 0;

  /** @param at  where to begin; alignment counts from the first byte */
  constructor(bytes: Uint8Array, options: { readonly isLittle: boolean; readonly at?: number }) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#isLittle = options.isLittle;
    this.#at = options.at ?? 0;
  }

  get at(): number {
    return this.#at;
  }

  all(signature: string): DBusValue[] {
    return typesOf(signature).map((type) => this.#value(type));
  }

  align(to: number): void {
    this.#at += (to - (this.#at % to)) % to;
  }

  #take(length: number, align = length): number {
    this.align(align);
    const at = this.#at;
    if (at + length > this.#bytes.length) throw broken("it ends in the middle of a value");
    this.#at = at + length;
    return at;
  }

  #value(type: DBusType): DBusValue {
    if (++this.#depth > mostDepth) throw broken("values nested too deep");
    try {
      switch (type.is) {
        case "basic":
          return this.#basic(type.code);
        case "variant": {
          const types = typesOf(this.#text(this.#bytes[this.#take(1)]!));
          if (types.length !== 1) throw broken(`a variant of ${types.length} values`);
          return this.#value(types[0]!);
        }
        case "struct":
          this.align(8);
          return type.fields.map((field) => this.#value(field));
        case "array": {
          const end = this.#arrayEnd(type.of.align);
          if (type.of.is === "basic" && type.of.code === "y") {
            // A copy, so that a value does not keep the whole message.
            const bytes = Uint8Array.from(this.#bytes.subarray(this.#at, end));
            this.#at = end;
            return bytes;
          }
          const items: DBusValue[] = [];
          while (this.#at < end) items.push(this.#value(type.of));
          return this.#ended(end, items);
        }
        case "dict": {
          const end = this.#arrayEnd(8);
          const entries = new Map<DBusValue, DBusValue>();
          while (this.#at < end) {
            this.align(8);
            const key = this.#value(type.key);
            entries.set(key, this.#value(type.value));
          }
          return this.#ended(end, entries);
        }
      }
    } finally {
      this.#depth--;
    }
  }

  #arrayEnd(align: number): number {
    const length = this.#view.getUint32(this.#take(4), this.#isLittle);
    this.align(align);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw broken(`an array of ${length} bytes, which is longer than the message`);
    return end;
  }

  #ended<T>(end: number, value: T): T {
    if (this.#at !== end) throw broken("an array that ends in the middle of a value");
    return value;
  }

  #text(length: number): string {
    const at = this.#take(length + 1, 1);
    if (this.#bytes[at + length] !== 0) throw broken("a text without its end");
    return utf8.decode(this.#bytes.subarray(at, at + length));
  }

  #basic(code: string): DBusValue {
    const view = this.#view;
    const isLittle = this.#isLittle;
    switch (code) {
      case "y":
        return view.getUint8(this.#take(1));
      case "b":
        return view.getUint32(this.#take(4), isLittle) !== 0;
      case "n":
        return view.getInt16(this.#take(2), isLittle);
      case "q":
        return view.getUint16(this.#take(2), isLittle);
      case "i":
        return view.getInt32(this.#take(4), isLittle);
      case "x":
        return view.getBigInt64(this.#take(8), isLittle);
      case "t":
        return view.getBigUint64(this.#take(8), isLittle);
      case "d":
        return view.getFloat64(this.#take(8), isLittle);
      case "g":
        return this.#text(view.getUint8(this.#take(1)));
      case "s":
      case "o":
        return this.#text(view.getUint32(this.#take(4), isLittle));
      default:
        // u, and h: the number of a file handle, of which none are ever taken
        return view.getUint32(this.#take(4), isLittle);
    }
  }
}
