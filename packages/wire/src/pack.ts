import { Packr } from "msgpackr";

/**
 * MessagePack as everything here uses it: plain maps (no records), bigint ⇄ 64-bit integer, number ⇄ anything smaller or
 * a float, bytes ⇄ bin. Decoding never yields more than the bytes hold, but it does throw on garbage: callers turn that
 * into their own code.
 * @source https://github.com/msgpack/msgpack/blob/master/spec.md
 */
const packr = new Packr({ useRecords: false, moreTypes: false, int64AsType: "bigint", largeBigIntToFloat: false });

/** A copy: the encoder reuses its buffer. */
export function pack(value: unknown): Uint8Array {
  return Uint8Array.prototype.slice.call(packr.pack(value));
}

/** @throws Error when the bytes are not exactly one MessagePack value */
export function unpack(bytes: Uint8Array): unknown {
  return packr.unpack(bytes);
}
