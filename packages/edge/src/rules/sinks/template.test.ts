// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { test } from "node:test";
import { Instant } from "@penstock/rules";
import { chosen, jsonOf } from "./row-json.ts";
import { columnsIn, filled, filledValue } from "./template.ts";

const row = {
  line: "a",
  n: 9_007_199_254_740_993n,
  x: 1.5,
  on: true,
  none: null,
  at: new Instant(1_700_000_000_123_456),
  raw: new Uint8Array([1, 2]),
  reading: { level: 2.5, "a.b": 1n },
};

test("filled() puts values in the place of columns, and nothing where there is no value", () => {
  assert.equal(filled("plant/${line}/${n}/${x}/${on}", row), "plant/a/9007199254740993/1.5/true");
  assert.equal(filled("[${none}${missing}]", row), "[]");
  assert.equal(filled("${reading.level} ${at} ${raw} ${reading}", row), '2.5 1700000000123 AQI= {"level":2.5,"a.b":1}');
  assert.equal(filled("nothing $here {line} ${", row), "nothing $here {line} ${");
});

// A value that became a text on its way would be refused by the device, or worse, taken.
test("filledValue() keeps the type of a column that stands alone", () => {
  assert.equal(filledValue("${n}", row), 9_007_199_254_740_993n);
  assert.equal(filledValue("${on}", row), true);
  assert.equal(filledValue("is ${on}", row), "is true");
  assert.deepEqual(filledValue({ a: ["${x}", 2], b: "${none}" }, row), { a: [1.5, 2], b: null });
});

test("columnsIn() names each column once", () => {
  assert.deepEqual(columnsIn({ a: "${x}/${line}", b: ["${x}", 1] }), ["x", "line"]);
});

test("jsonOf() keeps integers exact and has no number for NaN", () => {
  assert.equal(
    jsonOf({ n: row.n, bad: Number.NaN, at: row.at, 'a"b': "c\n" }),
    '{"n":9007199254740993,"bad":null,"at":1700000000123,"a\\"b":"c\\n"}',
  );
  assert.deepEqual(chosen(row, ["x", "gone"]), { x: 1.5, gone: null });
});
