import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAgainstManifest, extentOf } from "./mapper-manifest.ts";
import { fieldsOf, isQuickShorthand, type Shorthand } from "./shorthand.ts";

const shorthand: Shorthand = {
  field: "visitor.at",
  forms: [
    {
      like: "R7.3",
      pattern: "^R(\\d{1,4})\\.([0-7])$",
      gives: ["visitor.offset", "visitor.bit"],
      sets: { "visitor.table": "r" },
    },
    { like: "R7", pattern: "^R(\\d{1,4})$", gives: ["visitor.offset"], sets: { "visitor.table": "r" } },
  ],
};
const fields = {
  at: { type: "string" },
  table: { type: "string" },
  offset: { type: "integer" },
  bit: { type: "integer" },
};
const empty = { type: "object", properties: {} };
const manifest = {
  ...{ connection: empty, address: empty, method: null, shorthands: [shorthand] },
  visitor: { type: "object", properties: fields, additionalProperties: false },
  rules: [{ when: { field: "visitor.offset", in: [null] }, require: ["visitor.at"], because: "it lies somewhere" }],
  extent: { space: ["visitor.table"], start: "visitor.offset", length: 1 },
};
const errors = (visitor: Record<string, unknown>) =>
  checkAgainstManifest(manifest, { visitor }).map(({ field, value, rule }) => `${field} ${value} ${rule}`);

test("a text stands for the fields that it names, for rules and extents as well", () => {
  assert.deepEqual(fieldsOf(shorthand, "R12.3"), { "visitor.table": "r", "visitor.offset": 12, "visitor.bit": 3 });
  assert.equal(fieldsOf(shorthand, "Q1"), null);
  assert.deepEqual(errors({ at: "R12" }), []);
  assert.deepEqual(errors({}), ["visitor.at (missing) is required without visitor.offset: it lies somewhere"]);
  const one = extentOf(manifest, { visitor: { at: "R12" } });
  assert.deepEqual(one, extentOf(manifest, { visitor: { table: "r", offset: 12 } }));
  assert.deepEqual(one, { space: '"r"', start: 12, length: 1 });
});

test("a text without a form, and a field said twice, are told with field, value and rule", () => {
  assert.deepEqual(errors({ at: "Q1" }), ['visitor.at "Q1" must look like one of R7.3, R7']);
  assert.deepEqual(errors({ at: "R1", offset: 1 }), [
    'visitor.offset 1 cannot stand with visitor.at "R1": it says that already',
  ]);
});

test("patterns that may take long are known as such", () => {
  assert.equal(isQuickShorthand(shorthand), true);
  const slow = { like: "aa", pattern: "^(a+)+$", gives: [] };
  assert.equal(isQuickShorthand({ ...shorthand, forms: [slow] }), false);
});
