import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AppError,
  batchFromSamples,
  type DeviceUid,
  type Layout,
  layoutOrder,
  type Micros,
  readingsOf,
  type Sample,
  type Value,
  type ValueType,
  valueTypes,
} from "@penstock/model";
import fc from "fast-check";
import { decodeBatchBody, decodeLayout, encodeBatchBody, encodeLayout } from "./batch.ts";
import { pack } from "./pack.ts";

const device = "0123456789abcdef0123456789abcdef" as DeviceUid;
const time = 1_700_000_000_000_000 as Micros;

function layoutOf(types: readonly ValueType[]): Layout {
  return { id: 1, device, properties: layoutOrder(types.map((type, i) => ({ name: `p${i}`, type }))) };
}

const extremes: Record<ValueType, readonly Value[]> = {
  bool: [false, true],
  int8: [-128, 0, 127],
  int16: [-32768, 32767],
  int32: [-2147483648, 2147483647],
  int64: [-9223372036854775808n, 0n, 5n, 9223372036854775807n],
  uint8: [0, 255],
  uint16: [0, 65535],
  uint32: [0, 4294967295],
  uint64: [0n, 18446744073709551615n],
  float32: [0, -0, Math.fround(0.1), 1.401298464324817e-45, 3.4028234663852886e38],
  float64: [-0, 0.1, 5e-324, 1.7976931348623157e308],
  string: ["", "température 温度 🌡", "x".repeat(1000)],
  bytes: [new Uint8Array(0), new Uint8Array([0, 255, 128])],
  json: [{ json: null }, { json: { a: [1, "2", true] } }, { json: "text" }],
};

test("batch body golden vector: two float64, one bad without value", () => {
  const layout = layoutOf(["bool", "float64", "float64"]);
  const samples: Sample[] = [
    { property: "p0", time, value: true, quality: "good", reason: null },
    { property: "p1", time, value: 21.5, quality: "good", reason: null },
    { property: "p2", time: (time + 1000) as Micros, value: null, quality: "bad", reason: "mapper/timeout" },
  ];
  const bytes = encodeBatchBody(batchFromSamples({ layout, samples }).batch);
  const expected = [
    "9a", // array of 10
    "01", // body version
    "03", // 3 rows
    "cb 43 18 29 18 6b a9 c0 00".replaceAll(" ", ""), // baseTime as float64, placeholder checked below
    "c0", // index: every property
    "c4 0c 00000000 00000000 e8030000".replaceAll(" ", ""), // offsets, int32 little-endian: 0, 0, 1000 us
    "c4 03 00 00 06".replaceAll(" ", ""), // flags: good, good, bad + null
    "c4 03 00 00 01".replaceAll(" ", ""), // reason 1 for the third row
    `91 ae ${Buffer.from("mapper/timeout").toString("hex")}`.replaceAll(" ", ""),
    "92", // two columns
    "92 00 c4 01 01".replaceAll(" ", ""), // bool (rank 0): true
    "92 0a c4 10 0000000000803540 0000000000000000".replaceAll(" ", ""), // float64 (rank 10), little-endian
    "c0", // clock trusted
  ];
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, time);
  expected[3] = `cb${Buffer.from(view.buffer).toString("hex")}`;
  assert.equal(Buffer.from(bytes).toString("hex"), expected.join(""));
});

const sampleArb = fc.array(
  fc.integer({ min: 0, max: valueTypes.length - 1 }).chain((rank) =>
    fc.record({
      type: fc.constant(valueTypes[rank]!),
      value: fc.constantFrom<Value>(...extremes[valueTypes[rank]!], null),
      offset: fc.integer({ min: -1_000_000, max: 1_000_000 }),
      present: fc.boolean(),
      uncertain: fc.boolean(),
    }),
  ),
  { maxLength: 40 },
);

test("decodeBatchBody() gives back what encodeBatchBody() took, every type, extreme and null", () => {
  fc.assert(
    fc.property(sampleArb, (rows) => {
      const layout = layoutOf(rows.map((row) => row.type));
      const samples = rows.flatMap((row, i): Sample[] =>
        row.present
          ? [
              {
                property: `p${i}`,
                time: (time + row.offset) as Micros,
                value: row.value,
                quality: row.value === null ? "bad" : row.uncertain ? "uncertain" : "good",
                reason: row.value === null ? "mapper/timeout" : row.uncertain ? "clock/not-set" : null,
              },
            ]
          : [],
      );
      const { batch } = batchFromSamples({ layout, samples });
      const back = decodeBatchBody(layout, encodeBatchBody(batch));
      assert.deepEqual(readingsOf(back), readingsOf(batch));
      const byName = new Map(readingsOf(back).map((reading) => [reading.property, reading.value]));
      for (const sample of samples)
        assert.ok(Object.is(byName.get(sample.property), sample.value) || typeof sample.value === "object");
    }),
  );
});

test("decodeBatchBody() refuses or accepts mangled bytes, never throws anything else", () => {
  const layout = layoutOf([...valueTypes]);
  const samples = valueTypes.map(
    (type, i): Sample => ({ property: `p${i}`, time, value: extremes[type][0]!, quality: "good", reason: null }),
  );
  const good = encodeBatchBody(batchFromSamples({ layout, samples }).batch);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 8 }),
      fc.nat(good.length),
      (edits, cut) => {
        const bytes = good.slice(0, cut === 0 ? good.length : cut);
        for (const [at, byte] of edits) if (at < bytes.length) bytes[at] = byte;
        try {
          readingsOf(decodeBatchBody(layout, bytes));
        } catch (error) {
          assert.ok(error instanceof AppError && error.code === "link/bad-frame", String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test("decodeBatchBody() refuses each broken field by name", () => {
  const layout = layoutOf(["float64", "float64"]);
  const floats = new Uint8Array(16);
  const nan = new Uint8Array(new Float64Array([Number.NaN, 1]).buffer);
  const row = (over: Record<number, unknown>) => {
    const array: unknown[] = [1, 2, time, null, null, null, null, [], [[10, floats]], null];
    for (const [at, value] of Object.entries(over)) array[Number(at)] = value;
    return pack(array);
  };
  assert.equal(decodeBatchBody(layout, row({})).count, 2);
  assert.equal(decodeBatchBody(layout, row({ 2: BigInt(time) })).baseTime, time);
  const cases: [Record<number, unknown>, RegExp][] = [
    [{ 0: 2 }, /version 1/],
    [{ 1: 3 }, /count 3/],
    [{ 1: -1 }, /count -1/],
    [{ 2: 0.5 }, /baseTime/],
    [{ 2: -1 }, /baseTime -1, wanted/],
    [{ 2: Number.MAX_SAFE_INTEGER }, /baseTime 9007199254740991, wanted/],
    [{ 1: 1 }, /count 1 without index/],
    [{ 3: new Uint8Array([1, 0, 0, 0]) }, /ascending/],
    [{ 3: new Uint8Array([0, 0, 2, 0]) }, /ascending within the layout/],
    [{ 4: new Uint8Array(7) }, /offsets/],
    [{ 5: new Uint8Array([3, 0]) }, /flags/],
    [{ 6: new Uint8Array([1, 0]) }, /reasonIndex/],
    [{ 7: [1] }, /reasons/],
    [{ 8: [] }, /no float64 column/],
    [{ 8: [[10, nan]] }, /NaN/],
    [{ 8: [[10, floats.slice(8)]] }, /float64 has the wrong length/],
    [{ 9: [1, 2] }, /clock/],
  ];
  for (const [over, message] of cases) {
    assert.throws(
      () => decodeBatchBody(layout, row(over)),
      (error) => error instanceof AppError && message.test(error.message),
      String(message),
    );
  }
});

test("decodeLayout() gives back the layout and refuses one out of order", () => {
  const layout = layoutOf([...valueTypes, "bool", "json"]);
  assert.deepEqual(decodeLayout(encodeLayout(layout)), layout);
  const wrong = { ...layout, properties: [...layout.properties].reverse() };
  assert.throws(() => decodeLayout(encodeLayout(wrong)), /layout order/);
  assert.throws(() => decodeLayout(new Uint8Array([1])), /wrong shape/);
});
