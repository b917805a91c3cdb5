import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { numberOf, rawTypes, rawWords, wordOrders, wordsOf } from "./registers.ts";

test("wordsOf() lays bytes as each order's letters say", () => {
  const bytes = (order: (typeof wordOrders)[number]) => [...wordsOf("uint32", order, 0x0a0b0c0d)];
  assert.deepEqual(bytes("ABCD"), [0x0a0b, 0x0c0d]);
  assert.deepEqual(bytes("CDAB"), [0x0c0d, 0x0a0b]);
  assert.deepEqual(bytes("BADC"), [0x0b0a, 0x0d0c]);
  assert.deepEqual(bytes("DCBA"), [0x0d0c, 0x0b0a]);
  assert.deepEqual([...wordsOf("float32", "ABCD", 42)], [0x4228, 0]);
  assert.deepEqual([...wordsOf("uint64", "CDAB", 0x0001_0002_0003_0004n)], [4, 3, 2, 1]);
  assert.deepEqual([...wordsOf("int16", "ABCD", -2)], [0xfffe]);
});

test("numberOf() reads back every pattern that wordsOf() can write", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...rawTypes),
      fc.constantFrom(...wordOrders),
      fc.array(fc.integer({ min: 0, max: 65535 }), { minLength: 4, maxLength: 4 }),
      (raw, order, four) => {
        const words = Uint16Array.from(four.slice(0, rawWords[raw]));
        const value = numberOf(raw, order, words);
        // NaN has many patterns and keeps none of them.
        if (!Number.isNaN(value)) assert.deepEqual(wordsOf(raw, order, value), words);
      },
    ),
  );
});
