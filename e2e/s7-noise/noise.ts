import type { Random } from "@penstock/runtime";
import { type S7Request, s7Answer } from "@penstock/testkit";
import { timeoutMs } from "./place-value.ts";

/** What goes out instead of one good answer: bytes, and pauses in milliseconds. */
export interface Noise {
  readonly parts: readonly (Buffer | number)[];
  readonly closes?: boolean;
  /** an answer has stopped in its middle */
  readonly cuts?: boolean;
}

/**
 * One kind of trouble for an answer, chosen at random; often none. Every kind is one after which a right client has the
 * right value or none. S7 has no checksum, so no byte of a good packet is changed, and what follows a cut one on the same
 * connection is a good one: nobody could tell that other bytes are not the rest of it.
 */
export function noiseFor(request: S7Request, right: Buffer, random: Random): Noise {
  const upTo = (limit: number) => Math.floor(random.number() * limit);
  const garbage = () => Buffer.from(random.bytes(1 + upTo(60)));
  const late = timeoutMs * (1.2 + random.number() * 3);
  const { reference, items } = request;
  const cut = () => right.subarray(0, upTo(right.length));
  /** every byte of data another one, for a question that nobody waits for any more */
  const stranger = () => {
    const other = Buffer.from(right);
    other.writeUInt16BE((reference - 5000 - upTo(1000)) & 0xffff, 11);
    for (let at = 25; at < other.length; at++) other[at]! ^= 1 + upTo(255);
    return other;
  };
  const read = Buffer.of(4, items);
  const kinds: (() => Noise)[] = [
    () => ({ parts: [stranger()] }),
    () => ({ parts: [stranger(), right] }),
    () => ({ parts: [late, right] }),
    () => ({ parts: [right, right] }),
    () => ({ parts: [right, late, right] }),
    () => ({ parts: [cut()], cuts: true }),
    () => ({ parts: [cut(), late, right], cuts: true }),
    () => ({ parts: [right.subarray(0, 9), upTo(20), right.subarray(9)] }), // in pieces, and whole
    () => ({ parts: [] }),
    () => ({ parts: [s7Answer(reference, read, Buffer.alloc(0), 0x8304)] }), // busy
    () => ({ parts: [s7Answer(reference, Buffer.of(5, items), Buffer.alloc(items, 0xff))] }), // another function
    () => ({ parts: [s7Answer(reference, Buffer.of(4, items + 1), Buffer.alloc(0))] }), // other items
    () => ({ parts: [s7Answer(reference, read, Buffer.of(0xff, 4, 0, 24, 1, 2, 3))] }), // another length
    () => ({ parts: [s7Answer(reference, read, Buffer.alloc(4 * items, 1))] }), // hardware errors
    () => ({ parts: [Buffer.of(3, 0, 0, 11, 6, 0x80, 0, 1, 0, 1, upTo(256))] }), // it disconnects
    () => ({ parts: [Buffer.of(3, 0, 0, 7, 2, 0xf0, 0)] }), // a piece of a PDU that never ends
    () => ({ parts: [garbage()] }),
    () => ({ parts: [], closes: true }),
  ];
  return random.number() < 0.6 ? { parts: [right] } : kinds[upTo(kinds.length)]!();
}
