import assert from "node:assert/strict";
import { test } from "node:test";
import { RowError } from "../../value/row-error.ts";
import { regexpOf } from "./part-regexp.ts";

test("regexpOf() makes a pattern once, and lets the oldest of many go", () => {
  const first = regexpOf("first");
  assert.equal(regexpOf("first"), first);
  for (let i = 0; i < 99; i++) regexpOf(`other${i}`);
  assert.equal(regexpOf("first"), first);
  regexpOf("one more");
  assert.notEqual(regexpOf("first"), first);
});

test("regexpOf() keeps few states of a pattern that has very many, and still matches it", () => {
  // Each of 2^18 states tells where the last a's were.
  const { re: regexp } = regexpOf("(a|b)*a(a|b){17}[^ab]");
  let text = "";
  let state = 1;
  for (let i = 0; i < 40_000; i++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    text += (state >> 16) & 1 ? "a" : "b";
  }
  assert.equal(regexp.test(text), false);
  assert.equal(regexp.test(`${text}a${"b".repeat(17)}c`), true);
  assert.ok(regexp.re2().dfa.stateCount < 2000, `${regexp.re2().dfa.stateCount} states are kept`);
});

test("regexpOf() refuses with a RowError that says why", () => {
  assert.throws(
    () => regexpOf("a{1001}"),
    (error) => error instanceof RowError && /invalid repeat count/.test(error.message),
  );
  assert.throws(() => regexpOf("(".repeat(1000)), RowError);
});
