import assert from "node:assert/strict";
import { test } from "node:test";
import { withDefaults } from "@penstock/mapper-sdk";
import { AppError, type Value, type ValueType } from "@penstock/model";
import fc from "fast-check";
import { type Visitor, visitorFields } from "../fields.ts";
import { converter, numberReader } from "./converter.ts";

type Given = Partial<Visitor>;
const made = (given: Given, type: ValueType) => converter(withDefaults(visitorFields, given), type);
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

function read(given: Given, type: ValueType, bytes: string): Value | string {
  const result = made(given, type).read(hex(bytes));
  return "reason" in result ? result.reason : result.value;
}
function write(given: Given, type: ValueType, value: Value, present?: string): string {
  try {
    const bytes = made(given, type).write(value, present === undefined ? undefined : hex(present));
    return Buffer.from(bytes).toString("hex");
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

/** KubeEdge's sample of a CC2650 SensorTag, v1alpha1: startIndex 1, endIndex 0, shiftRight 2, Multiply 0.03125. */
const sensorTag: Given = { start: 1, end: 0, shiftRight: 2, operations: ["multiply 0.03125"] };

test("converter() reads what KubeEdge's data converter describes", () => {
  // bytes 0x0be0 with the low one first: 3040 >> 2 = 760 counts of 1/32 degree
  assert.equal(read(sensorTag, "float64", "e00b"), 23.75);
  assert.equal(read({ start: 0, end: 1 }, "uint16", "0102"), 0x0102, "start before end: most significant first");
  assert.equal(read({ start: 1, end: 0 }, "uint16", "0102"), 0x0201, "start behind end: least significant first");
  assert.equal(read({ start: 2, end: 2 }, "uint8", "0a0b0c"), 0x0c);
  assert.equal(read({ start: 0, end: 0, shiftLeft: 8 }, "uint16", "12"), 0x1200);
  const inOrder = (operations: string[]) => read({ start: 0, end: 0, operations }, "float64", "0a");
  assert.equal(inOrder(["add 2", "multiply 3"]), 36);
  assert.equal(inOrder(["multiply 3", "add 2"]), 32);
  assert.equal(inOrder(["subtract 4", "divide 4", "multiply 0.1"]), 0.15);
  assert.equal(read({ start: 0, end: 0, operations: ["multiply 0.1"] }, "float64", "03"), 0.3);
  assert.equal(read({ words: ["ON=01", "OFF=00"] }, "string", "01"), "ON");
  assert.equal(read({ words: ["ON=01", "OFF=00"] }, "string", "02"), "mapper/value-out-of-range");
});

test("converter() reads signs, masks, floats, texts, bytes and whole 64 bits", () => {
  assert.equal(read({ raw: "signed", start: 1, end: 0 }, "int16", "feff"), -2);
  assert.equal(read({ raw: "signed", start: 1, end: 0, shiftRight: 1 }, "int16", "fcff"), -2, "the sign stays");
  assert.equal(read({ mask: "0x0ff0", shiftRight: 4 }, "uint8", "abcd"), 0xbc);
  assert.equal(read({ raw: "float32" }, "float32", "3fc00000"), 1.5);
  assert.equal(read({ raw: "float32", start: 3, end: 0 }, "float64", "0000c03f"), 1.5);
  assert.equal(read({ raw: "float64" }, "float64", "7ff0000000000000"), "mapper/value-not-finite");
  assert.equal(read({}, "uint64", "ffffffffffffffff"), 2n ** 64n - 1n);
  assert.equal(read({ operations: ["add 1"] }, "uint64", "fffffffffffffffe"), 2n ** 64n - 1n, "arithmetic is exact");
  assert.equal(read({}, "int64", "ffffffffffffffff"), "mapper/value-out-of-range");
  assert.equal(read({}, "string", Buffer.from("Düse\0\0").toString("hex")), "Düse");
  assert.equal(read({}, "string", "ff"), "mapper/bad-answer");
  assert.deepEqual(read({ start: 1, end: 2 }, "bytes", "0a0b0c"), hex("0b0c"));
  assert.equal(read({ mask: "0x04" }, "bool", "05"), true);
  assert.equal(read({}, "bool", "00"), false);
});

test("converter() makes no value of too few or too many bytes", () => {
  for (const bytes of ["", "e0"]) assert.equal(read(sensorTag, "float64", bytes), "mapper/bad-answer");
  assert.equal(read({}, "uint8", ""), "mapper/bad-answer");
  assert.equal(read({}, "uint64", "010203040506070809"), "mapper/bad-answer");
  assert.equal(read({}, "uint8", "0100"), "mapper/value-out-of-range");
});

test("converter() writes the inverse, around what must stay", () => {
  assert.equal(write(sensorTag, "float64", 23.75), "e00b");
  assert.equal(write({ words: ["ON=01", "Buzzer=04"] }, "string", "Buzzer"), "04");
  assert.equal(write({ words: ["ON=01"] }, "string", "off"), "mapper/value-out-of-range");
  assert.equal(write({ start: 2, end: 1 }, "uint16", 0x1234, "aabbccdd"), "aa3412dd");
  assert.equal(write({ mask: "0x0ff0", shiftRight: 4 }, "uint8", 0x12, "abcd"), "a12d");
  assert.equal(write({ mask: "0x0ff0", shiftRight: 4 }, "uint16", 0x123, "abcd"), "mapper/value-out-of-range");
  assert.equal(write({ start: 2, end: 1 }, "uint16", 1, "aa"), "mapper/bad-answer", "nothing there to keep");
  assert.equal(write({}, "uint8", 5), "05");
  assert.equal(write({}, "uint16", 5), "0005");
  assert.equal(write({}, "bool", true), "01");
  assert.equal(write({ start: 0, end: 1, raw: "signed" }, "int16", -2), "fffe");
  assert.equal(write({ start: 0, end: 0, raw: "signed" }, "int16", 128), "mapper/value-out-of-range");
  assert.equal(
    write({ start: 0, end: 0, shiftLeft: 1 }, "uint16", 3),
    "mapper/value-out-of-range",
    "a bit would be lost",
  );
  assert.equal(write({ raw: "float32", start: 3, end: 0 }, "float64", 1.5), "0000c03f");
  assert.equal(write({ start: 0, end: 3 }, "string", "ab"), "61620000");
  assert.equal(write({ start: 0, end: 3 }, "string", "abcde"), "mapper/value-out-of-range");
  assert.equal(write({ start: 0, end: 1 }, "bytes", hex("01")), "mapper/value-out-of-range");
  assert.equal(write({}, "float64", Number.NaN), "mapper/value-out-of-range");
});

test("converter() reads what it has written", () => {
  const arithmetic = fc.array(
    fc.tuple(fc.constantFrom("multiply", "divide", "add", "subtract"), fc.integer({ min: 1, max: 1000 }), fc.nat(3)),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.nat(6),
      fc.boolean(),
      fc.boolean(),
      fc.nat(),
      arithmetic,
      (length, from, isBackwards, isSigned, seed, steps) => {
        const [low, high] = [from, from + length - 1];
        const given: Given = {
          ...(isBackwards ? { start: high, end: low } : { start: low, end: high }),
          raw: isSigned ? "signed" : "unsigned",
          operations: steps.map(([word, n, digits]) => `${word} ${(n / 10 ** digits).toFixed(digits)}`),
        };
        if (given.operations!.some((one) => / 0(\.0+)?$/.test(one))) return;
        const present = Buffer.alloc(12, 0xa5);
        present.writeUInt32BE(seed % 2 ** 32, Math.min(from, 8));
        const both = made(given, "float64");
        const first = both.read(present);
        if (first.value === null) return;
        assert.deepEqual([...both.write(first.value, present)], [...present]);
      },
    ),
    { numRuns: 300 },
  );
});

test("converter() refuses what can never be", () => {
  const refused = (given: Given, type: ValueType) =>
    assert.throws(
      () => made(given, type),
      (error) => error instanceof AppError && error.code === "mapper/unsupported",
    );
  refused({ raw: "float32", start: 0, end: 1 }, "float32");
  refused({ raw: "unsigned" }, "string");
  refused({ raw: "text" }, "bytes");
  refused({ start: 0, end: 8 }, "uint64");
  refused({ operations: ["divide 0"] }, "float64");
  refused({}, "json");
});

test("numberReader() reckons with what is a number from the beginning", () => {
  const rssi = numberReader(withDefaults(visitorFields, { operations: ["add 100"] }), "uint8");
  assert.deepEqual(rssi(-60), { value: 40 });
  assert.deepEqual(rssi(-120), { value: null, reason: "mapper/value-out-of-range" });
});
