import assert from "node:assert/strict";
import { test } from "node:test";
import { Instant, type Value } from "../../value/value.ts";
import { goText, plainFloat } from "./part-go-text.ts";

// What fmt.Sprintf("%v") of Go 1.23 prints.
const cases: readonly (readonly [Value, string])[] = [
  [21, "21"],
  [-0.5, "-0.5"],
  [-0, "-0"],
  [1e20, "100000000000000000000"],
  [1e21, "1e+21"],
  [1.5e300, "1.5e+300"],
  [0.0001, "0.0001"],
  [0.00001, "1e-05"],
  [-1.25e-7, "-1.25e-07"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "+Inf"],
  [Number.NEGATIVE_INFINITY, "-Inf"],
  [9_007_199_254_740_993n, "9007199254740993"],
  [false, "false"],
  [Uint8Array.of(104, 105), "[104 105]"],
  [[1n, "a", [null, 2.5]], "[1 a [<nil> 2.5]]"],
  [{ b: 1n, a: { c: true } }, "map[a:map[c:true] b:1]"],
  [new Instant(0), "1970-01-01 00:00:00 +0000 UTC"],
  [new Instant(1_793_536_490_500_000), "2026-11-01 12:34:50.5 +0000 UTC"],
  [new Instant(1_793_536_496_789_012), "2026-11-01 12:34:56.789012 +0000 UTC"],
];

test("goText() prints as Go does", () => {
  for (const [value, text] of cases) assert.equal(goText(value), text);
});

test("plainFloat() has no exponent, however large or small the float", () => {
  assert.equal(plainFloat(1e21), `1${"0".repeat(21)}`);
  assert.equal(plainFloat(-1.25e-7), "-0.000000125");
  assert.equal(plainFloat(5e-324).length, 326);
});
