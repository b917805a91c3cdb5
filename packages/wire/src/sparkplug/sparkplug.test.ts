import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, integerBounds, isIntegerType, type Value, type ValueType, valueTypes } from "@penstock/model";
import { foreignSparkplug, foreignSparkplugBytes, needs } from "@penstock/testkit";
import fc from "fast-check";
import { decodeSparkplug, encodeSparkplug, type SparkplugMetric } from "./sparkplug-payload.ts";
import { parseSparkplugTopic, sparkplugTopic, sparkplugTypes } from "./sparkplug-topic.ts";
import { sparkplugDatatypes, sparkplugValueOf } from "./sparkplug-value.ts";

const time = 1_800_000_000_123;
function anyValue(type: ValueType): fc.Arbitrary<Value> {
  if (isIntegerType(type)) {
    const [min, max] = integerBounds[type];
    return fc.bigInt({ min, max }).map((value) => (type.endsWith("64") ? value : Number(value)));
  }
  switch (type) {
    case "bool":
      return fc.boolean();
    case "float32":
      return fc.float({ noNaN: true });
    case "float64":
      return fc.double({ noNaN: true });
    case "bytes":
      return fc.uint8Array({ maxLength: 40 });
    case "json":
      return fc.jsonValue().map((json) => ({ json: JSON.parse(JSON.stringify(json)) }));
    default:
      return fc.string({ unit: "grapheme", maxLength: 20 });
  }
}
const metric: fc.Arbitrary<SparkplugMetric> = fc.constantFrom(...valueTypes).chain((type) =>
  fc.record({
    name: fc.option(fc.string({ minLength: 1, maxLength: 8 })),
    alias: fc.option(fc.nat()),
    timestamp: fc.constant(time),
    type: fc.constant(type),
    value: fc.option(anyValue(type), { freq: 8 }),
    quality: fc.option(fc.constantFrom("good" as const, "uncertain" as const, "bad" as const)),
    unit: fc.option(fc.constantFrom("Cel", "m/s")),
  }),
);
const quality = { good: 192, uncertain: 500, bad: 0 };

test("every value of every type reads back as it was written, by our own reader", () => {
  fc.assert(
    fc.property(fc.array(metric, { maxLength: 5 }), fc.option(fc.nat(255)), (metrics, seq) => {
      const read = decodeSparkplug(encodeSparkplug({ timestamp: time, seq, metrics }));
      assert.equal(read.timestamp, BigInt(time));
      assert.equal(read.seq, seq === null ? null : BigInt(seq));
      for (const [i, { name, alias, type, value, quality: is }] of metrics.entries()) {
        const one = read.metrics[i]!;
        assert.deepEqual([one.name, one.alias], [name, alias === null ? null : BigInt(alias)]);
        assert.deepEqual([one.isNull, one.quality], [value === null, is === null ? null : quality[is]]);
        assert.equal(one.datatype, sparkplugDatatypes[type]);
        const back = one.raw === null ? null : sparkplugValueOf(one.raw, type);
        assert.deepEqual(
          back instanceof Uint8Array ? [...back] : back,
          value instanceof Uint8Array ? [...value] : value,
        );
      }
    }),
  );
});

test("Google's protobuf reads what we write, field by field", needs("python3-protobuf"), () => {
  const extremes: [ValueType, Value, object][] = [
    ["bool", false, { boolean_value: false }],
    ["int8", -128, { int_value: 4294967168 }],
    ["int16", -1, { int_value: 4294967295 }],
    ["int32", -2147483648, { int_value: 2147483648 }],
    ["int64", -9223372036854775808n, { long_value: "9223372036854775808" }],
    ["uint8", 255, { int_value: 255 }],
    ["uint16", 65535, { int_value: 65535 }],
    ["uint32", 4294967295, { int_value: 4294967295 }],
    ["uint64", 18446744073709551615n, { long_value: "18446744073709551615" }],
    ["float32", Math.fround(21.5), { float_value: 21.5 }],
    ["float64", Math.PI, { double_value: Math.PI }],
    ["string", "Öl", { string_value: "Öl" }],
    ["bytes", new Uint8Array([0, 255]), { bytes_value: "AP8=" }],
    ["json", { json: { a: [1] } }, { string_value: '{"a":[1]}' }],
  ];
  assert.deepEqual(new Set(extremes.map(([type]) => type)), new Set(valueTypes));
  const metrics = extremes.map(([type, value], alias) => ({
    ...{
      name: type,
      alias,
      timestamp: time,
      type,
      value,
      quality: "good" as const,
      unit: type === "float32" ? "Cel" : null,
    },
  }));
  const empty = {
    name: null,
    alias: 3,
    timestamp: time,
    type: "int64",
    value: null,
    quality: "bad",
    unit: null,
  } as const;
  const [read, none] = foreignSparkplug([
    encodeSparkplug({ timestamp: time, seq: 7, metrics }),
    encodeSparkplug({ timestamp: time, seq: null, metrics: [empty] }),
  ]);
  const good = { keys: ["Quality"], values: [{ type: 3, int_value: 192 }] };
  const inCelsius = { keys: ["Quality", "engUnit"], values: [...good.values, { type: 12, string_value: "Cel" }] };
  assert.deepEqual(read, {
    timestamp: String(time),
    seq: "7",
    metrics: extremes.map(([type, , value], alias) => ({
      ...{ name: type, alias: String(alias), timestamp: String(time), datatype: sparkplugDatatypes[type] },
      ...{ properties: type === "float32" ? inCelsius : good, ...value },
    })),
  });
  const properties = { keys: ["Quality"], values: [{ type: 3, int_value: 0 }] };
  assert.deepEqual(none, {
    timestamp: String(time),
    metrics: [{ alias: "3", timestamp: String(time), datatype: 4, is_null: true, properties }],
  });
});

test(
  "we read what Google's protobuf writes; libraries differ in the field of 32-bit numbers",
  needs("python3-protobuf"),
  () => {
    const bytes = foreignSparkplugBytes({
      timestamp: "5",
      metrics: [
        { name: "speed", datatype: 7, long_value: "4294967295" },
        { alias: "9", datatype: 3, int_value: 4294967291 },
        { name: "x", float_value: 1.5 },
      ],
    });
    const [speed, delta, x] = decodeSparkplug(bytes).metrics;
    assert.equal(sparkplugValueOf(speed!.raw!, "uint32"), 4294967295);
    assert.deepEqual([delta!.alias, sparkplugValueOf(delta!.raw!, "int32")], [9n, -5]);
    assert.equal(sparkplugValueOf(x!.raw!, "float64"), 1.5);
    assert.equal(sparkplugValueOf(x!.raw!, "int8"), undefined);
  },
);

// Whoever may send a command may send anything.
test("decodeSparkplug() of any bytes reads them or says input/invalid", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeSparkplug(bytes);
      } catch (error) {
        assert.ok(error instanceof AppError && error.code === "input/invalid", String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

test("topics read back, and what is no topic of Sparkplug is none", () => {
  for (const type of sparkplugTypes) {
    const address = { group: "acme", node: "gw-01", device: type.startsWith("D") ? "press-3" : null };
    assert.deepEqual(parseSparkplugTopic(sparkplugTopic(type, address)), { type, ...address });
  }
  assert.equal(sparkplugTopic("DDATA", { group: "a", node: "n", device: "d" }), "spBv1.0/a/DDATA/n/d");
  for (const bad of [
    "spBv1.0/a/NCMD",
    "spBv1.0/a/DCMD/n",
    "spBv1.0/a/NCMD/n/d",
    "spBv1.0/a/STATE/n",
    "x/a/NCMD/n",
    "spBv1.0/a/DCMD/n/",
  ]) {
    assert.equal(parseSparkplugTopic(bad), null, bad);
  }
});
