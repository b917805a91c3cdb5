import assert from "node:assert/strict";
import { test } from "node:test";
import { type ValueType, valueTypes } from "@penstock/model";
import fc from "fast-check";
import { ByteWriter } from "./byte-writer.ts";
import { type Chunk, decodeChunk, encodeChunk } from "./chunk.ts";
import type { SeriesColumn } from "./values.ts";

const out = new ByteWriter();
const encode = (chunk: Chunk) => encodeChunk(out, chunk);
const good = { offsets: null, flags: null, reasons: null };

function sameBits(a: SeriesColumn, b: SeriesColumn): void {
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) {
    assert.equal(a.constructor, b.constructor);
    assert.deepEqual(
      new Uint8Array(a.buffer, a.byteOffset, a.byteLength),
      new Uint8Array(b.buffer, b.byteOffset, b.byteLength),
    );
  } else assert.deepEqual(a, b);
}
function roundTrip(chunk: Chunk): number {
  const bytes = encode(chunk);
  const back = decodeChunk(bytes);
  assert.equal(back.type, chunk.type);
  sameBits(back.values, chunk.values);
  return bytes.length;
}

const wild = fc.double({ noNaN: true, noDefaultInfinity: true });
const decimal = fc.tuple(fc.integer({ min: -99999, max: 99999 }), fc.integer({ min: 0, max: 6 }));
const generators: Record<ValueType, fc.Arbitrary<SeriesColumn>> = {
  bool: whole(0, 1),
  int8: whole(-128, 127),
  int16: whole(-32768, 32767),
  int32: whole(-2147483648, 2147483647),
  uint8: whole(0, 255),
  uint16: whole(0, 65535),
  uint32: whole(0, 4294967295),
  int64: fc
    .array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 300 })
    .map((v) => BigInt64Array.from(v)),
  uint64: fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 300 }).map((v) => BigUint64Array.from(v)),
  float32: fc
    .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 300 })
    .map((v) => Float64Array.from(Float32Array.from(v))),
  float64: fc
    .array(
      fc.oneof(
        wild,
        decimal.map(([n, k]) => n / 10 ** k),
        decimal.map(([n, k]) => n * 0.1 ** k),
      ),
      { maxLength: 300 },
    )
    .map((v) => Float64Array.from(v)),
  string: fc.array(fc.string({ unit: "binary" }), { maxLength: 60 }),
  json: fc.array(fc.json(), { maxLength: 60 }),
  bytes: fc.array(fc.uint8Array(), { maxLength: 60 }),
};
function whole(min: number, max: number): fc.Arbitrary<Float64Array> {
  return fc.array(fc.integer({ min, max }), { maxLength: 300 }).map((v) => Float64Array.from(v));
}

for (const type of valueTypes) {
  test(`encodeChunk() of ${type} comes back bit for bit`, () => {
    fc.assert(
      fc.property(generators[type], (values) => void roundTrip({ ...good, type, values })),
      { numRuns: 60 },
    );
  });
}

test("encodeChunk() keeps the extremes of every numeric type", () => {
  const extremes: [ValueType, SeriesColumn][] = [
    ["int64", BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n)],
    ["uint64", BigUint64Array.of(2n ** 64n - 1n, 0n, 2n ** 63n)],
    ["uint64", BigUint64Array.of(2n ** 64n - 1n, 2n ** 64n - 5n)],
    ["uint32", Float64Array.of(0, 4294967295)],
    ["float64", Float64Array.of(0, -0, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53, 0.1 + 0.2)],
    ["float64", new Float64Array(40).fill(-0)],
    ["float64", new Float64Array(600).map((_, i) => (i === 300 ? -0 : i / 10))],
    ["float64", new Float64Array(600).map((_, i) => (i % 100 === 0 ? Math.PI * i : (i % 7) / 100))],
    ["float64", new Float64Array(50).fill(1 / 3)],
    ["float32", new Float64Array(600).map((_, i) => Math.fround(i * 0.1))],
  ];
  for (const [type, values] of extremes) roundTrip({ ...good, type, values });
});

test("encodeChunk() keeps lone surrogates, which are texts too", () => {
  roundTrip({ ...good, type: "string", values: ["a", "\ud800", "", "ü𝄞", "a"] });
});

test("encodeChunk() keeps offsets, flags and reasons", () => {
  const values = Float64Array.of(1, 2, 3, 4);
  const offsets = Float64Array.of(0, -5000, 2147483647, -2147483648);
  const bytes = encode({ type: "int32", values, offsets, flags: [0, 6, 6, 1], reasons: [0, 1, 1, 0] });
  const back = decodeChunk(bytes);
  assert.deepEqual(back.offsets, offsets);
  assert.deepEqual([...Array.from(back.flags!)], [0, 6, 6, 1]);
  assert.deepEqual([...Array.from(back.reasons!)], [0, 1, 1, 0]);
  assert.equal(decodeChunk(encode({ ...good, type: "int32", values, offsets: 17 })).offsets, 17);
});

test("decodeChunk() refuses any flipped bit", () => {
  const bytes = encode({ ...good, type: "float64", values: Float64Array.of(21.5, 21.6, 21.4) });
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => decodeChunk(damaged), { code: "store/corrupt" });
  }
});

test("encodeChunk() spends what the signal is worth", () => {
  const noise = (i: number) => ((i * 2654435761) >>> 0) % 16;
  const sizes = {
    // A register of tenths with four bits of noise: half a byte a reading, and the frame.
    decimals: roundTrip({
      ...good,
      type: "float64",
      values: new Float64Array(600).map((_, i) => (215 + noise(i)) / 10),
    }),
    scaled: roundTrip({
      ...good,
      type: "float64",
      values: new Float64Array(600).map((_, i) => (215 + noise(i)) * 0.1),
    }),
    counter: roundTrip({ ...good, type: "uint64", values: new BigUint64Array(600).map((_, i) => BigInt(i * 10)) }),
    constant: roundTrip({ ...good, type: "float64", values: new Float64Array(600).fill(Math.PI) }),
    flag: roundTrip({ ...good, type: "bool", values: new Float64Array(600).map((_, i) => noise(i) & 1) }),
  };
  assert.ok(sizes.decimals < 340, String(sizes.decimals));
  assert.ok(sizes.scaled < 340, String(sizes.scaled));
  assert.ok(sizes.counter < 60, String(sizes.counter));
  assert.ok(sizes.constant < 50, String(sizes.constant));
  assert.ok(sizes.flag < 120, String(sizes.flag));
});
