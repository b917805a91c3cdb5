import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { integerBounds, isIntegerType, type Json, type Value, type ValueType, valueTypes } from "./value.ts";
import { fromBase64, toBase64 } from "./value-base64.ts";
import { sameValue } from "./value-equal.ts";
import { shortestFloat32 } from "./value-float32.ts";
import { valueFromJson, valueToJson } from "./value-json.ts";
import { valueFromText, valueToText } from "./value-text.ts";

/** Every type's ends and the values just beside its traps. */
function extremes(type: ValueType): Value[] {
  if (isIntegerType(type)) {
    const wide = type === "int64" || type === "uint64";
    const [low, high] = integerBounds[type];
    const near = [low, low + 1n, 0n, 1n, high - 1n, high];
    if (wide) near.push(2n ** 53n, 2n ** 53n + 1n);
    return near.map((number) => (wide ? number : Number(number)));
  }
  switch (type) {
    case "bool":
      return [true, false];
    case "float32":
      return [0, 0.1, -0.1, 16777217, 3.4028234663852886e38, 1.401298464324817e-45, 2 ** -126, 1 / 3].map(Math.fround);
    case "float64":
      return [0, 0.1, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53 + 2, 1 / 3];
    case "string":
      return ["", "42", "true", "null", "a\u0000b", "ünïcödé 水 🌊", "\n\r\t\"\\'", "0x10"];
    case "bytes":
      return [new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(255, 254), Uint8Array.of(1, 2, 3)];
    default:
      return [{ json: null }, { json: "text" }, { json: 42 }, { json: [] }, { json: { a: [1, { b: null }] } }];
  }
}

function randomValue(type: ValueType): fc.Arbitrary<Value> {
  if (isIntegerType(type)) {
    const [min, max] = integerBounds[type];
    const wide = type === "int64" || type === "uint64";
    return fc.bigInt({ min, max }).map((number) => (wide ? number : Number(number)));
  }
  switch (type) {
    case "bool":
      return fc.boolean();
    case "float32":
      return fc.float({ noNaN: true, noDefaultInfinity: true });
    case "float64":
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case "string":
      return fc.string({ unit: "binary" });
    case "bytes":
      return fc.uint8Array();
    default:
      return fc.jsonValue().map((json) => ({ json: JSON.parse(JSON.stringify(json)) as Json }));
  }
}

function overJson(type: ValueType, value: Value): Value {
  const parsed = valueFromJson(type, JSON.parse(JSON.stringify(valueToJson(type, value))) as Json);
  assert.ok(parsed.ok, `${type} ${String(value)}`);
  return parsed.value;
}

function overText(type: ValueType, value: Value): Value {
  const parsed = valueFromText(type, valueToText(type, value));
  assert.ok(parsed.ok, `${type} ${valueToText(type, value)}`);
  return parsed.value;
}

for (const type of valueTypes) {
  test(`value conversion carries ${type} through JSON and text and back, extremes and random values`, () => {
    const same = (value: Value) => {
      assert.ok(sameValue(overJson(type, value), value), `JSON: ${type} ${String(value)}`);
      assert.ok(sameValue(overText(type, value), value), `text: ${type} ${String(value)}`);
    };
    for (const value of extremes(type)) same(value);
    fc.assert(fc.property(randomValue(type), same), { numRuns: 200 });
  });
}

test("valueToJson() writes what DESIGN 4 promises", () => {
  assert.equal(valueToJson("int64", 1n), "1");
  assert.equal(valueToJson("uint64", 18446744073709551615n), "18446744073709551615");
  assert.equal(valueToJson("bytes", Uint8Array.of(0xfb, 0xff)), "+/8=");
  assert.equal(valueToJson("float64", Number.NaN), null);
  assert.equal(valueToJson("float32", Number.NEGATIVE_INFINITY), null);
  assert.equal(JSON.stringify(valueToJson("float32", Math.fround(0.1))), "0.1");
  assert.equal(JSON.stringify(valueToJson("float32", Math.fround(3.4028234663852886e38))), "3.4028235e+38");
});

test("shortestFloat32() finds no shorter text than it gives", () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const digits = digitsOf(shortestFloat32(value));
      for (let fewer = 1; fewer < digits; fewer++) {
        assert.notEqual(Math.fround(Number(value.toPrecision(fewer))), Math.fround(value));
      }
      assert.equal(Math.fround(shortestFloat32(value)), Math.fround(value));
    }),
  );
});

function digitsOf(value: number): number {
  return value.toExponential().split("e")[0]!.replace(/[-.]/g, "").length;
}

test("valueFromJson() refuses what is not of the type and says which rule", () => {
  const refused: [ValueType, Json, "twin/wrong-type" | "twin/out-of-range"][] = [
    ["bool", 1, "twin/wrong-type"],
    ["bool", "true", "twin/wrong-type"],
    ["int16", "5", "twin/wrong-type"],
    ["int16", 1.5, "twin/wrong-type"],
    ["int16", 32768, "twin/out-of-range"],
    ["uint8", -1, "twin/out-of-range"],
    ["int64", 9007199254740992, "twin/wrong-type"],
    ["int64", "9223372036854775808", "twin/out-of-range"],
    ["uint64", "-1", "twin/out-of-range"],
    ["uint64", "007", "twin/wrong-type"],
    ["float32", 3.5e38, "twin/out-of-range"],
    ["float64", "1", "twin/wrong-type"],
    ["float64", null, "twin/wrong-type"],
    ["string", 42, "twin/wrong-type"],
    ["string", "\ud800", "twin/wrong-type"],
    ["string", "x".repeat(65_537), "twin/out-of-range"],
    ["string", "水".repeat(21_846), "twin/out-of-range"],
    ["bytes", "AA", "twin/wrong-type"],
    ["bytes", "AB==", "twin/wrong-type"],
    ["bytes", "A".repeat(87_384), "twin/out-of-range"],
  ];
  for (const [type, json, code] of refused) {
    const parsed = valueFromJson(type, json);
    assert.ok(!parsed.ok && parsed.rule.length > 0, `${type} ${JSON.stringify(json)?.slice(0, 40)}`);
    assert.equal(parsed.code, code, `${type} ${JSON.stringify(json)?.slice(0, 40)}`);
  }
});

test("valueFromText() takes plain decimal and guesses nothing", () => {
  for (const [type, input] of [
    ["int32", "0x10"],
    ["int32", " 42"],
    ["int32", "+42"],
    ["int32", ""],
    ["float64", "NaN"],
    ["float64", "Infinity"],
    ["float64", ".5"],
    ["bool", "TRUE"],
    ["json", "{"],
  ] as const) {
    assert.equal(valueFromText(type, input).ok, false, `${type} "${input}"`);
  }
  assert.deepEqual(valueFromText("int32", "-007"), { ok: true, value: -7 });
  assert.deepEqual(valueFromText("string", "true"), { ok: true, value: "true" });
});

test("base64 is the platform's own, both ways", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = Buffer.from(bytes).toString("base64");
      assert.equal(toBase64(bytes), text);
      assert.deepEqual(fromBase64(text), bytes);
    }),
  );
  for (const text of ["A", "====", "A===", "AA=A", "AA-_", "AA==AA=="]) assert.equal(fromBase64(text), null, text);
});
