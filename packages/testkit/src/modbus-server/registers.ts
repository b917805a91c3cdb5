/** How numbers lie in registers: the testkit's own encoder. A mapper has another, and tests hold the two to each other. */
export const rawTypes = ["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"] as const;
export type RawType = (typeof rawTypes)[number];
/** letters name bytes from most (A) to least significant within each pair of registers, as device manuals print them */
export const wordOrders = ["ABCD", "CDAB", "BADC", "DCBA"] as const;
export type WordOrder = (typeof wordOrders)[number];

export const rawWords: Readonly<Record<RawType, number>> = {
  int16: 1,
  uint16: 1,
  int32: 2,
  uint32: 2,
  float32: 2,
  int64: 4,
  uint64: 4,
  float64: 4,
};

/** @returns registers in address order, each 0..65535; integers wrap to the raw type's width */
export function wordsOf(raw: RawType, order: WordOrder, value: number | bigint): Uint16Array {
  const view = new DataView(new ArrayBuffer(8));
  switch (raw) {
    case "int16":
    case "uint16":
      view.setInt16(0, Number(value));
      break;
    case "int32":
    case "uint32":
      view.setInt32(0, Number(value));
      break;
    case "int64":
    case "uint64":
      view.setBigInt64(0, BigInt(value));
      break;
    case "float32":
      view.setFloat32(0, Number(value));
      break;
    case "float64":
      view.setFloat64(0, Number(value));
      break;
  }
  return reorder(
    Uint16Array.from({ length: rawWords[raw] }, (_, i) => view.getUint16(i * 2)),
    order,
  );
}

/** @returns bigint for 64-bit integers, else number */
export function numberOf(raw: RawType, order: WordOrder, words: Uint16Array): number | bigint {
  const view = new DataView(new ArrayBuffer(8));
  for (const [i, word] of reorder(words, order).entries()) view.setUint16(i * 2, word);
  switch (raw) {
    case "int16":
      return view.getInt16(0);
    case "uint16":
      return view.getUint16(0);
    case "int32":
      return view.getInt32(0);
    case "uint32":
      return view.getUint32(0);
    case "int64":
      return view.getBigInt64(0);
    case "uint64":
      return view.getBigUint64(0);
    case "float32":
      return view.getFloat32(0);
    case "float64":
      return view.getFloat64(0);
  }
}

/** Each order is its own inverse. */
function reorder(words: Uint16Array, order: WordOrder): Uint16Array {
  const ordered = order === "CDAB" || order === "DCBA" ? words.toReversed() : words;
  if (order === "ABCD" || order === "CDAB") return ordered;
  return ordered.map((word) => ((word & 0xff) << 8) | (word >> 8));
}
