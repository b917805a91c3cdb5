import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stepValue } from "./step-value.ts";

const at = (n: number, name = "temp-02", groups: string[] = ["02"]) => ({ n, count: 3, name, groups });
const value = (from: unknown, step: unknown, n: number): unknown => {
  const stepped = stepValue(from, step, at(n));
  assert.ok("value" in stepped, JSON.stringify(stepped));
  return stepped.value;
};
const problem = (from: unknown, step: unknown) => {
  const stepped = stepValue(from, step, at(1));
  assert.ok("problem" in stepped, String(from));
  return stepped.problem;
};

test("stepValue() steps numbers, texts that are numbers, and the last number of other texts, keeping zeros", () => {
  assert.equal(value(10, 2, 3), 16);
  assert.equal(value(10, -4, 3), -2);
  assert.equal(value(0.1, 0.1, 2), 0.3, "in decimals, not in binary");
  assert.equal(value("9007199254740993", 1, 2), "9007199254740995");
  assert.equal(value("-5", 3, 1), "-2");
  assert.equal(value("007", 1, 3), "010");
  assert.equal(value("ns=2;s=Temp1", 1, 2), "ns=2;s=Temp3");
  assert.equal(value("ns=2;i=1009", 1, 1), "ns=2;i=1010");
  assert.equal(value("plant/temp09/value", 1, 2), "plant/temp11/value");
  assert.equal(value("line-001", 1, 2), "line-003");
});

test("stepValue() takes a value of a list, and fills text in, as a number where one was", () => {
  assert.equal(value(1, [7, 8, 9], 2), 8);
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: placeholders
  assert.equal(value("plant/old", "plant/${name}/${n}", 2), "plant/temp-02/2");
  assert.equal(value("a", "${value}-${1}", 1), "a-02");
  assert.equal(value(5, "4${n}", 3), 43);
  assert.equal(value("x", "plant/${device}/${n}", 1), "plant/${device}/1", "placeholders of topics stay");
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: placeholders
});

test("stepValue() says what cannot be stepped, and why", () => {
  assert.match(problem(true, 1), /neither a number/);
  assert.match(problem({ a: 1 }, 1), /neither a number/);
  assert.match(problem("holding", 1), /no number in it/);
  assert.match(problem("temp1", -2), /would hold -1/);
  assert.match(problem("temp1", 0.5), /would hold 1\.5/);
  assert.match(problem(1, "two"), /must be a number, a list, or text/);
  assert.match(problem(1, [1, 2]), /2 values, there are 3 copies/);
  assert.match(problem(1e300, 1), /stepped exactly/);
});

test("stepValue() is exact for all 64-bit integers, as bigint, number or text", () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });
  fc.assert(
    fc.property(int64, int64, fc.integer({ min: 1, max: 1000 }), (from, step, n) => {
      const want = from + step * BigInt(n);
      const narrow = Number.isSafeInteger(Number(from)) ? Number(from) : from;
      const stepped = stepValue(narrow, step, { ...at(n), count: 1000 }) as { value: number | bigint };
      assert.equal(BigInt(stepped.value), want);
      assert.equal(typeof stepped.value, Number.isSafeInteger(Number(want)) ? "number" : "bigint");
      assert.deepEqual(stepValue(from.toString(), step, { ...at(n), count: 1000 }), { value: want.toString() });
    }),
  );
});
