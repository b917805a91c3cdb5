// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of payloads have placeholders of that shape
import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, sameValue, type Value, type ValueType, valueTypes } from "@penstock/model";
import fc from "fast-check";
import { deviceTime } from "./device-time.ts";
import { withDefaults } from "./field.ts";
import { boundedJson, Payload } from "./payload.ts";
import { payloadFields } from "./payload-fields.ts";
import { payloadReader, payloadWriter } from "./payload-value.ts";

type Given = Readonly<Record<string, unknown>>;
const settingsOf = (given: Given = {}) => withDefaults(payloadFields(), given);
const payloadOf = (text: string) => new Payload(new TextEncoder().encode(text));
function read(type: ValueType, text: string, given: Given = {}): unknown {
  const { value, reason } = payloadReader(settingsOf(given), type)(payloadOf(text));
  return value ?? reason;
}
function write(type: ValueType, value: Value, given: Given & { template?: string } = {}): string {
  try {
    const settings = { ...settingsOf(given), template: given.template };
    return new TextDecoder().decode(payloadWriter(settings, type)(value, { device: "d" }));
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

test("payloadReader() takes typed values, numbers as texts too, and bends nothing", () => {
  const cases: [ValueType, string, Given, unknown][] = [
    ["float64", "21.5", {}, 21.5],
    ["float64", '" 21.5 "', {}, 21.5],
    ["float64", "true", {}, "mapper/bad-answer"],
    ["float64", '"warm"', {}, "mapper/bad-answer"],
    ["float32", "1e39", {}, "mapper/value-out-of-range"],
    ["int16", "21.0", {}, 21],
    ["int16", "21.5", {}, "mapper/bad-answer"],
    ["int16", "32768", {}, "mapper/value-out-of-range"],
    ["uint8", "123456789012345678901", {}, "mapper/bad-answer"],
    ["int64", "9223372036854775807", {}, 9223372036854775807n],
    ["int64", "9223372036854775808", {}, "mapper/value-out-of-range"],
    ["int64", "1e3", {}, 1000n],
    ["float64", "215", { scale: 0.1 }, 21.5],
    ["int16", '"215"', { scale: 0.1, offset: -1.5 }, 20],
    ["bool", "1", {}, true],
    ["bool", '"ON"', {}, "mapper/bad-answer"],
    ["bool", '"ON"', { on: "ON", off: "OFF" }, true],
    ["bool", "true", { on: "ON", off: "OFF" }, true],
    ["bool", "1", { on: "ON", off: "OFF" }, "mapper/bad-answer"],
    ["bool", "2", { on: "2", off: "3" }, true],
    ["string", '"auto"', {}, "auto"],
    ["string", "5", {}, "mapper/bad-answer"],
    ["bytes", '"AQI="', {}, Uint8Array.of(1, 2)],
    ["json", '{"a": [1]}', {}, { json: { a: [1] } }],
    ["float64", "21.5\n", { format: "text" }, 21.5],
    ["float64", "0x10", { format: "text" }, "mapper/bad-answer"],
    ["string", "auto\n", { format: "text" }, "auto\n"],
    ["float64", '{"a": 1}', { path: "$.b" }, "mapper/bad-answer"],
    ["float64", "{a: 1}", {}, "mapper/bad-answer"],
    ["float64", "", {}, "mapper/bad-answer"],
  ];
  for (const [type, text, given, wanted] of cases) assert.deepEqual(read(type, text, given), wanted, `${type} ${text}`);
});

test("payloadWriter() puts the value in typed, and no value becomes more than one", () => {
  assert.equal(write("int64", 2n ** 62n), "4611686018427387904");
  assert.equal(write("float32", Math.fround(0.1)), "0.1");
  assert.equal(write("bool", true, { on: "ON" }), '"ON"');
  assert.equal(write("float64", 21.5, { scale: 0.1 }), "215");
  assert.equal(
    write("string", 'a"b\\', { template: '{"v": ${value}, "t": "${device}:${text}"}' }),
    '{"v": "a\\"b\\\\", "t": "d:a\\"b\\\\"}',
  );
  assert.equal(write("string", "x", { format: "text", template: "SET ${text}" }), "SET x");
  assert.equal(write("string", "1,2", { template: "[${text}]" }), "mapper/unsupported");
  assert.equal(write("string", "x", { template: '"${value}"' }), "mapper/unsupported");
  assert.equal(write("string", "x", { template: "{" }), "mapper/unsupported");
  assert.equal(write("int16", 40_000), "mapper/value-out-of-range");
  assert.equal(write("int16", null), "mapper/value-out-of-range");
});

test("what was written is read back, of every type, in JSON and as text", () => {
  const value: fc.Arbitrary<[ValueType, Value]> = fc.oneof(
    fc.tuple(fc.constant<ValueType>("bool"), fc.boolean()),
    fc.tuple(fc.constant<ValueType>("int32"), fc.integer()),
    fc.tuple(fc.constant<ValueType>("uint64"), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
    fc.tuple(
      fc.constant<ValueType>("float64"),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
    ),
    fc.tuple(fc.constant<ValueType>("string"), fc.string({ unit: "grapheme" })),
    fc.tuple(fc.constant<ValueType>("bytes"), fc.uint8Array()),
  );
  fc.assert(
    fc.property(value, fc.constantFrom("json", "text"), ([type, given], format) => {
      if (format === "text" && (type === "bytes" || given === "")) return;
      const settings = settingsOf({ format, ...(format === "json" && { path: "$.v[0]" }) });
      const template = format === "json" ? '{"v": [${value}], "note": "${text}"}' : undefined;
      const bytes = payloadWriter({ ...settings, template }, type)(given, {});
      const back = payloadReader(settings, type)(new Payload(bytes));
      assert.ok(sameValue(back.value, given), `${type} ${String(given)} became ${String(back.value)}`);
    }),
  );
});

test("any bytes give a value of the type or a reason, for every type", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => new TextEncoder().encode(text)),
      ),
      (bytes) => {
        for (const type of valueTypes) {
          const { value, reason } = payloadReader(settingsOf(), type)(new Payload(bytes));
          assert.equal(value === null, reason !== undefined);
        }
      },
    ),
  );
});

test("JSON is bounded in depth before anything is built", () => {
  const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  assert.doesNotThrow(() => boundedJson(deep(64)));
  assert.throws(() => boundedJson(deep(65)), /levels deep/);
  assert.doesNotThrow(() => boundedJson(JSON.stringify("[".repeat(100))), "brackets within a text are text");
  assert.throws(() => boundedJson(`{"n": 12345678901234567890, "x": ${deep(200_000)}}`), /levels deep/);
});

test("deviceTime() knows one form at a time, and guesses no zone", () => {
  const at = Date.UTC(2026, 0, 2, 3, 4, 5) * 1000;
  assert.equal(deviceTime("2026-01-02T03:04:05Z", "iso"), at);
  assert.equal(deviceTime("2026-01-02 05:04:05.000250+02:00", "iso"), at + 250);
  assert.equal(deviceTime(at / 1e6 + 0.25, "s"), at + 250_000);
  assert.equal(deviceTime(`${at / 1000}`, "ms"), at);
  assert.equal(deviceTime(BigInt(at) * 1000n + 999n, "ns"), at);
  for (const [given, form] of [
    ["2026-01-02T03:04:05", "iso"],
    [at, "iso"],
    ["soon", "ms"],
    [-1, "s"],
    [null, "ms"],
    [undefined, "iso"],
    [1e300, "ms"],
  ] as const) {
    assert.equal(deviceTime(given, form), null, String(given));
  }
});
