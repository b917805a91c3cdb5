import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { checkSettings, manifestText } from "@penstock/mapper-sdk";
import { type Access, checkAgainstManifest, extentOf, parseManifest, type ValueType } from "@penstock/model";
import { s7 } from "./index.ts";

const written = await readFile(join(import.meta.dirname, "../mapper.json"), "utf8");
const manifest = parseManifest(written);

test("mapper.json is what the mapper says of itself; npm run generate writes it", () => {
  assert.equal(written, manifestText(s7));
});

test("an address in text and its fields one by one are the same place to whoever reads mapper.json alone", () => {
  const places: [Record<string, unknown>, Record<string, unknown>, ValueType][] = [
    [{ address: "DB10.DBD4" }, { db: 10, offset: 4 }, "float32"],
    [{ address: "DB10.DBX0.3" }, { area: "DB", db: 10, offset: 0, bit: 3 }, "bool"],
    [{ address: "MW20" }, { area: "M", offset: 20 }, "int16"],
    [{ address: "EB3" }, { area: "I", offset: 3 }, "uint8"],
    [{ address: "A1.0" }, { area: "Q", offset: 1, bit: 0 }, "bool"],
    [{ address: "T5" }, { area: "T", offset: 5 }, "uint32"],
    [{ address: "Z7" }, { area: "C", offset: 7 }, "uint16"],
  ];
  for (const [text, fields, type] of places) {
    const [one, other] = [text, fields].map((visitor) => extentOf(manifest, { address: {}, visitor }, type));
    assert.notEqual(one, null);
    assert.deepEqual(one, other, JSON.stringify(text));
    assert.deepEqual(checkSettings(manifest, { visitor: text }), []);
  }
  // The device's own data block and the same one named are one place.
  const own = extentOf(manifest, { address: { db: 10 }, visitor: { address: "DBD4" } }, "float32");
  assert.deepEqual(own, extentOf(manifest, { address: {}, visitor: { db: 10, offset: 4 } }, "float32"));
  const lengthOf = (visitor: Record<string, unknown>, type: ValueType) => extentOf(manifest, { visitor }, type)?.length;
  assert.equal(lengthOf({ db: 1, offset: 0, type: "string", length: 20 }, "string"), 22);
  assert.equal(lengthOf({ db: 1, offset: 0, type: "wstring", length: 20 }, "string"), 44);
  assert.equal(lengthOf({ db: 1, offset: 0, type: "lint" }, "int64"), 8);
  assert.equal(lengthOf({ address: "DB1.DBX7.7" }, "bool"), 1);
});

const numbers = "bool or int8 or int16 or int32 or int64 or uint8 or uint16 or uint32 or uint64 or float32 or float64";

test("mapper.json alone says which settings do not go together, and why", () => {
  const told = (visitor: Readonly<Record<string, unknown>>, type: ValueType, access: Access = "read") =>
    checkAgainstManifest(manifest, { visitor }, {}, { property: { access, type, at: "p" } }).map(
      ({ field, value, rule }) => `${field} ${value} ${rule}`,
    );
  assert.deepEqual(told({ address: "DB10.DBD4" }, "float32"), []);
  assert.deepEqual(told({ db: 10, offset: 4, type: "int" }, "float64"), []);
  assert.deepEqual(
    told({ address: "DB10.DBY4" }, "float32").map((text) => text.slice(0, 70)),
    ['visitor.address "DB10.DBY4" must look like one of DB10.DBX0.3, DB10.DB'],
  );
  assert.deepEqual(told({ address: "MW20", offset: 3, area: "M" }, "int16"), [
    'visitor.area "M" cannot stand with visitor.address "MW20": it says that already',
    'visitor.offset 3 cannot stand with visitor.address "MW20": it says that already',
  ]);
  assert.deepEqual(told({}, "int16"), [
    "visitor.address (missing) is required without visitor.offset: a point lies somewhere",
  ]);
  assert.deepEqual(told({ address: "DB1.DBW0", type: "bool" }, "bool"), [
    'visitor.bit (missing) is required with visitor.type "bool": a bool is one bit of a byte',
  ]);
  assert.deepEqual(told({ db: 1, offset: 0 }, "string"), [
    `p.type "string" must be ${numbers} without visitor.type: only a number's type in the PLC follows from the property`,
  ]);
});
