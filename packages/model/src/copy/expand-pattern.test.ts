import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AppError } from "../errors.ts";
import { limits } from "../limits.ts";
import { expandPattern } from "./expand-pattern.ts";

const namesOf = (pattern: string | readonly string[]) => expandPattern(pattern).map(({ name }) => name);

test("expandPattern() makes ranges, steps, lists, products and plain names, in their order", () => {
  assert.deepEqual(namesOf("temp-{08..11}"), ["temp-08", "temp-09", "temp-10", "temp-11"]);
  assert.deepEqual(namesOf("t{1..9..4}"), ["t1", "t5", "t9"]);
  assert.deepEqual(namesOf("t{3..1}"), ["t3", "t2", "t1"]);
  assert.deepEqual(namesOf("t{001..10..9}"), ["t001", "t010"]);
  assert.deepEqual(namesOf("{a,b,1..2}x"), ["ax", "bx", "1x", "2x"]);
  assert.deepEqual(namesOf("l{1..2}-{a,b}"), ["l1-a", "l1-b", "l2-a", "l2-b"]);
  assert.deepEqual(namesOf(["pump", "fan-{1..2}"]), ["pump", "fan-1", "fan-2"]);
  assert.deepEqual(expandPattern("l{1..1}-{a}")[0]?.groups, ["1", "a"]);
});

test("expandPattern() refuses what makes no names, too many, bad ones or one twice, and says which", () => {
  const cases: [string | string[], RegExp][] = [
    ["temp-{02..", /closing brace/],
    ["temp-}", /closing brace/],
    ["temp-{1..x}", /"\{1\.\.x\}" must be a range/],
    ["temp-{1..9..0}", /step above 0/],
    ["temp-{1..2000}", /at most 1000 names/],
    ["temp-{1..100}-{1..100}", /at most 1000 names/],
    ["Temp-{1..2}", /"Temp-1"/],
    ["temp_1", /"temp_1"/],
    [["a", "{a,b}"], /"a" twice/],
    [`${"a".repeat(60)}{1000..1001}`, /at most 63/],
    ["{1,2}".repeat(9), /at most 8 groups/],
    ["", /must be lower-case/],
  ];
  for (const [pattern, about] of cases) {
    assert.throws(
      () => expandPattern(pattern),
      (error: unknown) => error instanceof AppError && about.test(error.message),
      String(pattern),
    );
  }
});

test("expandPattern() of any range has as many names as it says, each as wide as the widest end when padded", () => {
  fc.assert(
    fc.property(
      fc.nat(5000),
      fc.nat(900),
      fc.integer({ min: 1, max: 50 }),
      fc.boolean(),
      (low, length, step, isPadded) => {
        const ends = [String(low), String(low + length)];
        const width = isPadded ? ends[1]!.length + 1 : 0;
        const names = namesOf(`x{${ends[0]!.padStart(width, "0")}..${ends[1]!.padStart(width, "0")}..${step}}`);
        assert.equal(names.length, Math.floor(length / step) + 1);
        for (const [i, name] of names.entries()) {
          assert.equal(Number(name.slice(1)), low + i * step);
          if (isPadded) assert.equal(name.length, 1 + width);
        }
        assert.ok(names.length <= limits.changesPerRequest);
      },
    ),
  );
});
