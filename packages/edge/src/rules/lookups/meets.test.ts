import assert from "node:assert/strict";
import { test } from "node:test";
import { isNoMistake, meets } from "./meets.ts";

test("meets() takes what reads the same for equal, and what is not told for what was asked", () => {
  const isKnown = () => true;
  for (const [value, key, is] of [
    [5, 5n, true],
    ["5", 5n, true],
    [5, "5.0", true],
    ["05", "5", true],
    ["a", "A", false],
    [true, "true", true],
    [1, true, false],
    ["", 0n, false],
    [null, "x", true],
  ] as const)
    assert.equal(meets({ id: value }, { id: key }, isKnown), is, `${String(value)} and ${String(key)}`);
  assert.equal(meets({}, { id: 5n }, isKnown), true);
  assert.equal(
    meets({}, { id: 5n }, () => false),
    false,
  );
});

test("isNoMistake() leaves out numbers that a database has made of a text", () => {
  assert.equal(isNoMistake({ id: 0n }, { id: "abc" }), false);
  assert.equal(isNoMistake({ id: 0n }, { id: "" }), false);
  assert.equal(isNoMistake({ id: 5n }, { id: "5" }), true);
  assert.equal(isNoMistake({ name: "A" }, { name: "a" }), true);
});
