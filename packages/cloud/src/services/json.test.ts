import assert from "node:assert/strict";
import { test } from "node:test";
import { withDefaults } from "@penstock/model";
import fc from "fast-check";
import { canonical, mergePatch } from "./json.ts";
import { matchesLabels, parseLabelSelector } from "./label-selector.ts";

test("mergePatch() gives the results of the standard's own table", () => {
  // RFC 7396, appendix A
  const cases: [unknown, unknown, unknown][] = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of cases) assert.deepEqual(mergePatch(target, patch), result);
});

test("mergePatch() and withDefaults() never touch an object's prototype", () => {
  const evil: unknown = JSON.parse('{"__proto__":{"owned":1},"a":{"constructor":{"prototype":{"owned":1}}}}');
  mergePatch({ a: {} }, evil);
  withDefaults({ a: {} }, evil);
  assert.equal(({} as { owned?: number }).owned, undefined);
});

test("withDefaults() merges objects field by field and lets the own value win everywhere else", () => {
  const model = { visitor: { table: "holding", offset: 1 }, unit: "W", list: [1, 2] };
  const merged = withDefaults(model, { visitor: { offset: 6 }, list: [3] });
  assert.deepEqual(merged, { visitor: { table: "holding", offset: 6 }, unit: "W", list: [3] });
});

test("canonical() is the same for the same content in any order of keys", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      const turned = Object.fromEntries(Object.entries(object).reverse());
      assert.equal(canonical(turned), canonical(object));
    }),
  );
  assert.notEqual(canonical({ a: [1, 2] }), canonical({ a: [2, 1] }));
});

test("matchesLabels() holds only when every term does", () => {
  const labels = { line: "filling", cell: "3" };
  const cases: [string, boolean][] = [
    ["line=filling", true],
    ["line=filling,cell=4", false],
    ["cell!=4", true],
    ["owner!=me", true],
    ["owner", false],
    ["!owner,line", true],
    ["!line", false],
  ];
  for (const [selector, holds] of cases)
    assert.equal(matchesLabels(parseLabelSelector(selector), labels), holds, selector);
  for (const bad of ["", "a==b", "!a=b", "a=b=c", "a b"]) assert.throws(() => parseLabelSelector(bad), bad);
});
