import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "@penstock/model";
import fc from "fast-check";
import { compileJsonPath, lookUp } from "./json-path.ts";

test("compileJsonPath() reads names after dots, positions and quoted names", () => {
  assert.deepEqual(compileJsonPath("$"), []);
  assert.deepEqual(compileJsonPath("$.a.b[0]"), ["a", "b", 0]);
  assert.deepEqual(compileJsonPath("a[1][2].c-d"), ["a", 1, 2, "c-d"]);
  assert.deepEqual(compileJsonPath("$['odd. name'][\"it's\"].größe"), ["odd. name", "it's", "größe"]);
});

test("compileJsonPath() refuses everything else, and never evaluates", () => {
  for (const text of [
    "",
    "$.",
    "$..a",
    "$.a[*]",
    "$[?(@.a)]",
    "$[(1+1)]",
    "$.a[-1]",
    "$a",
    "a b",
    "$['a]",
    "$.a[0",
    "$[1:2]",
  ]) {
    assert.throws(
      () => compileJsonPath(text),
      (error) => error instanceof AppError && error.code === "mapper/bad-address",
      text,
    );
  }
});

test("lookUp() finds only what the document holds itself", () => {
  const json = JSON.parse('{"a": {"b": [10, {"c": null}]}, "__proto__": {"x": 1}}');
  const at = (text: string) => lookUp(json, compileJsonPath(text));
  assert.equal(at("$.a.b[0]"), 10);
  assert.equal(at("$.a.b[1].c"), null);
  assert.equal(at("$.__proto__.x"), 1);
  for (const text of ["$.a.b.length", "$.a.b[2]", "$.a[0]", "$.constructor", "$.a.toString", "$.a.b[0].x"]) {
    assert.equal(at(text), undefined, text);
  }
});

test("a path made of any names finds what stands there", () => {
  const name = fc.string({ minLength: 1 }).filter((text) => !/["\n\r\u2028\u2029]/.test(text) && text.isWellFormed());
  fc.assert(
    fc.property(fc.array(fc.oneof(name, fc.nat(5)), { maxLength: 6 }), (steps) => {
      let json: unknown = 42;
      for (const step of [...steps].reverse()) {
        json =
          typeof step === "number" ? Array.from({ length: 6 }, (_, i) => (i === step ? json : 0)) : { [step]: json };
      }
      const text = `$${steps.map((step) => (typeof step === "number" ? `[${step}]` : `["${step}"]`)).join("")}`;
      assert.equal(lookUp(JSON.parse(JSON.stringify(json)), compileJsonPath(text)), 42);
    }),
  );
});
