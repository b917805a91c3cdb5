import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type ErrorCode } from "./errors.ts";
import type { Value, ValueType } from "./value.ts";
import { type CheckedProperty, checkDesired, desiredFromJson, desiredFromText } from "./value-check.ts";
import { isHeldAs } from "./value-equal.ts";

function property(fields: Partial<CheckedProperty> & { type: ValueType }): CheckedProperty {
  return { name: "speed", access: "readWrite", minimum: null, maximum: null, ...fields };
}

function refusal(run: () => unknown): AppError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof AppError);
    return error;
  }
  throw new Error("nothing was refused");
}

test("desiredFromText() names field, value and rule", () => {
  const error = refusal(() => desiredFromText(property({ type: "float32", maximum: "60" }), "61"));
  assert.equal(error.code, "twin/out-of-range");
  assert.equal(error.message, 'Cannot set "speed" to "61": value must be at most 60');
  assert.deepEqual(error.fields, [{ field: "value", value: '"61"', rule: "must be at most 60" }]);
});

test("desired values are refused by access, type and range, and pass at the very bound", () => {
  const refused: [CheckedProperty, string, ErrorCode][] = [
    [property({ type: "bool", access: "read" }), "true", "twin/read-only"],
    [property({ type: "int32" }), "fast", "twin/wrong-type"],
    [property({ type: "int32", minimum: "10" }), "9", "twin/out-of-range"],
    [property({ type: "int64", maximum: "9007199254740993" }), "9007199254740994", "twin/out-of-range"],
    [property({ type: "uint8" }), "256", "twin/out-of-range"],
  ];
  for (const [spec, input, code] of refused) assert.equal(refusal(() => desiredFromText(spec, input)).code, code);
  assert.equal(
    desiredFromText(property({ type: "int64", maximum: "9007199254740993" }), "9007199254740993"),
    2n ** 53n + 1n,
  );
  assert.equal(desiredFromText(property({ type: "float32", maximum: "0.1" }), "0.1"), Math.fround(0.1));
  assert.equal(desiredFromJson(property({ type: "bool", access: "write" }), true), true);
  assert.equal(
    refusal(() => desiredFromJson(property({ type: "int16" }), "5", "spec.value")).fields[0]?.field,
    "spec.value",
  );
});

test("checkDesired() lets nothing through that is not of the property's type", () => {
  const refused: [ValueType, ValueType, Value][] = [
    ["int32", "int16", 5],
    ["string", "string", Uint8Array.of(1)],
    ["bytes", "bytes", "AAAA"],
    ["json", "json", "text"],
    ["json", "json", null],
    ["int64", "int64", 5],
    ["int32", "int32", 5n],
    ["float64", "float64", Number.NaN],
    ["bool", "bool", null],
  ];
  for (const [declared, type, value] of refused) {
    const error = refusal(() => checkDesired(property({ type: declared }), type, value));
    assert.equal(error.code, "twin/wrong-type", `${type} ${String(value)}`);
  }
  checkDesired(property({ type: "float32" }), "float32", 0.1);
  checkDesired(property({ type: "bytes" }), "bytes", Uint8Array.of(1));
  checkDesired(property({ type: "json" }), "json", { json: null });
});

test("isHeldAs() accepts what the device can hold and nothing else", () => {
  const held = (type: ValueType, wanted: Value, found: Value, scale: number | null = null) =>
    isHeldAs({ type, wanted, found, scale });
  assert.equal(held("float64", 21.57, 21.6, 0.1), true);
  assert.equal(held("float64", 21.55, 21.6, 0.1), true);
  assert.equal(held("float64", 21.57, 21.7, 0.1), false);
  assert.equal(held("float64", 0.1, Math.fround(0.1)), true);
  assert.equal(held("float64", 1, 1.00001), false);
  assert.equal(held("int32", 42, 40, 10), true);
  assert.equal(held("int32", 42, 41, 1), false);
  assert.equal(held("int64", 2n ** 60n, 2n ** 60n + 1n), false);
  assert.equal(held("json", { json: { a: 1, b: 2 } }, { json: { b: 2, a: 1 } }), true);
  assert.equal(held("bool", true, null), false);
});
