import type { RawType, RawValue } from "@penstock/mapper-sdk";

/** Byte order as device manuals print it for 32 bits; longer values follow the same rule over all their words. */
export const wordOrders = ["ABCD", "CDAB", "BADC", "DCBA"] as const;
export type WordOrder = (typeof wordOrders)[number];

/** Registers that a type takes: 1, 2 or 4. */
export function registersOf(raw: RawType): number {
  if (raw.endsWith("64")) return 4;
  return raw.endsWith("32") ? 2 : 1;
}

const readers: Readonly<Record<RawType, (view: DataView, at: number) => RawValue>> = {
  int16: (view, at) => view.getInt16(at),
  uint16: (view, at) => view.getUint16(at),
  int32: (view, at) => view.getInt32(at),
  uint32: (view, at) => view.getUint32(at),
  int64: (view, at) => view.getBigInt64(at),
  uint64: (view, at) => view.getBigUint64(at),
  float32: (view, at) => view.getFloat32(at),
  float64: (view, at) => view.getFloat64(at),
};

/**
 * Makes the reader of one number in registers as they came over the wire.
 *
 * @param order "ABCD" high word first, high byte first; "CDAB" low word first; "BADC", "DCBA" with bytes swapped too
 * @returns (registers, byte position) → number, or bigint for 64-bit integers
 * @source Modbus Application Protocol V1.1b3, 4.2 (high byte first); the order of words is the vendor's choice
 */
export function registerReader(raw: RawType, order: WordOrder): (view: DataView, at: number) => RawValue {
  const read = readers[raw];
  if (order === "ABCD") return read;
  const bytes = registersOf(raw) * 2;
  const scratch = new DataView(new ArrayBuffer(8));
  const from = bytePlaces(bytes, order);
  return (view, at) => {
    for (let i = 0; i < bytes; i++) scratch.setUint8(i, view.getUint8(at + from[i]!));
    return read(scratch, 0);
  };
}

/** The bytes of a number as registers. The value fits the type. */
export function registerBytes(raw: RawType, order: WordOrder, value: number | bigint): Uint8Array {
  const bytes = registersOf(raw) * 2;
  const view = new DataView(new ArrayBuffer(bytes));
  if (raw === "float32") view.setFloat32(0, Number(value));
  else if (raw === "float64") view.setFloat64(0, Number(value));
  else if (bytes === 8) view.setBigUint64(0, BigInt.asUintN(64, BigInt(value)));
  else if (bytes === 4) view.setUint32(0, Number(value));
  else view.setUint16(0, Number(value));
  // Every order is its own inverse, so the places to read from are the places to write to.
  return Uint8Array.from(bytePlaces(bytes, order), (place) => view.getUint8(place));
}

/** Brings bytes from the order on the wire into their own, and back: every order is its own inverse. @param length even */
export function orderedBytes(length: number, order: WordOrder): (bytes: Uint8Array) => Uint8Array {
  if (order === "ABCD") return (bytes) => bytes.slice();
  const from = bytePlaces(length, order);
  return (bytes) => Uint8Array.from(from, (place) => bytes[place]!);
}

/** Where byte i of the number, highest first, lies among the bytes on the wire. */
function bytePlaces(bytes: number, order: WordOrder): readonly number[] {
  const swapWords = order === "CDAB" || order === "DCBA";
  const swapBytes = order === "BADC" || order === "DCBA";
  return Array.from({ length: bytes }, (_, i) => {
    const word = swapWords ? bytes / 2 - 1 - (i >> 1) : i >> 1;
    return word * 2 + (swapBytes ? 1 - (i & 1) : i & 1);
  });
}
