import { type DBusType, typesOf } from "./signature.ts";

/** A value in a variant, with the type it is to have. */
export interface Variant {
  readonly signature: string;
  readonly value: Written;
}
/** What can be sent: dictionaries are objects with text for keys. */
export type Written =
  | number
  | boolean
  | string
  | Uint8Array
  | readonly Written[]
  | Variant
  | { readonly [key: string]: Written };

const utf8 = new TextEncoder();

/** Writes values in the byte order of the message, least significant first. What does not fit its type is our mistake. */
export class BodyWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  all(signature: string, values: readonly Written[]): void {
    const types = typesOf(signature);
    if (types.length !== values.length) throw new Error(`"${signature}" is not for ${values.length} values`);
    for (const [i, type] of types.entries()) this.#value(type, values[i]!);
  }

  align(to: number): void {
    this.#grow((to - (this.#length % to)) % to);
  }

  /** @returns where the bytes begin, zeroes so far */
  #grow(by: number): number {
    const at = this.#length;
    this.#length += by;
    if (this.#length > this.#bytes.length) {
      const more = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      more.set(this.#bytes);
      this.#bytes = more;
    }
    return at;
  }

  #view(length: number): DataView {
    this.align(length);
    const at = this.#grow(length);
    return new DataView(this.#bytes.buffer, at, length);
  }

  #value(type: DBusType, value: Written): void {
    switch (type.is) {
      case "basic":
        this.#basic(type.code, value);
        break;
      case "variant":
        this.#basic("g", (value as Variant).signature);
        this.all((value as Variant).signature, [(value as Variant).value]);
        break;
      case "struct":
        this.align(8);
        for (const [i, field] of type.fields.entries()) this.#value(field, (value as readonly Written[])[i]!);
        break;
      case "array":
        this.#array(type.of.align, () => {
          if (value instanceof Uint8Array) this.#put(value);
          else for (const item of value as readonly Written[]) this.#value(type.of, item);
        });
        break;
      case "dict":
        this.#array(8, () => {
          for (const [key, item] of Object.entries(value as Readonly<Record<string, Written>>)) {
            this.align(8);
            this.#value(type.key, key);
            this.#value(type.value, item);
          }
        });
    }
  }

  #put(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  #array(align: number, items: () => void): void {
    this.align(4);
    const lengthAt = this.#grow(4);
    this.align(align);
    const start = this.#length;
    items();
    new DataView(this.#bytes.buffer).setUint32(lengthAt, this.#length - start, true);
  }

  #basic(code: string, value: Written): void {
    const set = numbers[code];
    if (set !== undefined) {
      const [length, put] = set;
      put(this.#view(length), Number(value));
      return;
    }
    if (code !== "s" && code !== "o" && code !== "g") throw new Error(`Cannot write a "${code}"`);
    const bytes = utf8.encode(value as string);
    if (code === "g") this.#view(1).setUint8(0, bytes.length);
    else this.#view(4).setUint32(0, bytes.length, true);
    this.#put(bytes);
    this.#grow(1);
  }
}

/** bytes, and how they are set */
const numbers: Readonly<Record<string, readonly [number, (view: DataView, value: number) => void]>> = {
  y: [1, (view, value) => view.setUint8(0, value)],
  b: [4, (view, value) => view.setUint32(0, value, true)],
  n: [2, (view, value) => view.setInt16(0, value, true)],
  q: [2, (view, value) => view.setUint16(0, value, true)],
  i: [4, (view, value) => view.setInt32(0, value, true)],
  u: [4, (view, value) => view.setUint32(0, value, true)],
  d: [8, (view, value) => view.setFloat64(0, value, true)],
};
