import { type RawType, rawWords, type WordOrder, wordOrders, wordsOf } from "../modbus-server/registers.ts";

const values: readonly (readonly [RawType, number | bigint])[] = [
  ["int16", -215],
  ["uint16", 65_000],
  ["int32", -123_456_789],
  ["uint32", 4_000_000_000],
  ["float32", 21.5],
  ["int64", -(2n ** 53n + 1n)],
  ["uint64", 2n ** 63n + 1n],
  ["float64", Math.PI],
];

/** One number of the map that servers of other makers hold, so that several can be asked the same. */
export interface ForeignValue {
  readonly raw: RawType;
  readonly order: WordOrder;
  readonly offset: number;
  readonly value: number | bigint;
}

/** From holding register 200: each number in each word order, one after the other. pymodbus_server.py has the same by its own packing. */
export const foreignValues: readonly ForeignValue[] = (() => {
  let offset = 200;
  return wordOrders.flatMap((order) =>
    values.map(([raw, value]) => {
      const here = { raw, order, offset, value };
      offset += rawWords[raw];
      return here;
    }),
  );
})();

/** Holding registers by offset, for a server that has no map of its own. */
export function foreignWords(): Map<number, number> {
  const words = new Map<number, number>();
  for (const { raw, order, offset, value } of foreignValues) {
    for (const [i, word] of wordsOf(raw, order, value).entries()) words.set(offset + i, word);
  }
  return words;
}
