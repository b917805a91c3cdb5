import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { checkSettings, manifestText } from "@penstock/mapper-sdk";
import { type Access, checkAgainstManifest, extentOf, parseManifest, type ValueType } from "@penstock/model";
import { modbus } from "./index.ts";

const written = await readFile(join(import.meta.dirname, "../mapper.json"), "utf8");

test("mapper.json is what the mapper says of itself; npm run generate writes it", () => {
  assert.equal(written, manifestText(modbus));
});

test("mapper.json alone tells good settings from bad ones, and where a point lies", () => {
  const manifest = parseManifest(written);
  const good = {
    connection: { host: "10.0.4.12" },
    address: { unitId: 3 },
    visitor: { table: "holding", offset: 10, raw: "float32" },
  };
  assert.deepEqual(checkSettings(manifest, good), []);
  assert.deepEqual(extentOf(manifest, good), { space: '3,"holding"', start: 10, length: 2 });
  const bad = { connection: {}, address: { unitId: 256 }, visitor: { table: "holdings", offset: 70_000, raw: "int8" } };
  assert.deepEqual(
    checkSettings(manifest, bad).map((f) => `${f.field}: ${f.value}: ${f.rule}`),
    [
      "address.unitId: 256: must be <= 255",
      'visitor.table: "holdings": must be one of coil, discrete, input, holding',
      "visitor.offset: 70000: must be <= 65535",
      'visitor.raw: "int8": must be one of int16, uint16, int32, uint32, int64, uint64, float32, float64, bcd16, bcd32, string, bytes',
    ],
  );
});

test("mapper.json alone says which settings do not go together, and why", () => {
  const manifest = parseManifest(written);
  const told = (visitor: Readonly<Record<string, unknown>>, type: ValueType, access: Access = "read") =>
    checkAgainstManifest(manifest, { visitor }, {}, { property: { access, type, at: "p" } }).map(
      ({ field, rule }) => `${field} ${rule.slice(rule.lastIndexOf(": ") + 2)}`,
    );
  const [holding, at] = [{ table: "holding" }, { offset: 7 }];
  for (const [visitor, type, access] of [
    [{ ...holding, ...at }, "float32", "readWrite"],
    [{ ...holding, ...at, raw: "string", length: 4 }, "string", "write"],
    [{ ...holding, ...at, bit: 3 }, "bool", "readWrite"],
    [{ ...holding, ...at, bit: 3, bits: 4 }, "uint8", "readWrite"],
    [{ ...holding, ...at, bits: 1 }, "int16", "read"],
    [{ table: "coil", ...at }, "bool", "readWrite"],
    [{ table: "input", ...at }, "int16", "read"],
  ] as const) {
    assert.deepEqual(told(visitor, type, access), []);
  }
  const oneBit = "each place of a bit table is one bit";
  const asText = "text takes as many registers as are stated";
  assert.deepEqual(told({ table: "input", ...at }, "int16", "readWrite"), [
    "p.access Modbus has no function that writes input registers",
  ]);
  assert.deepEqual(told({ table: "discrete", ...at }, "bool", "write"), [
    "p.access Modbus has no function that writes discrete inputs",
  ]);
  assert.deepEqual(told({ table: "coil", ...at, raw: "int16", bit: 1 }, "bool"), [
    `visitor.raw ${oneBit}`,
    `visitor.bit ${oneBit}`,
  ]);
  assert.deepEqual(told({ ...holding, ...at, raw: "string", bit: 1 }, "int16"), [
    `visitor.length ${asText}`,
    `visitor.bit ${asText}`,
    `p.type ${asText}`,
  ]);
  assert.deepEqual(told({ ...holding, ...at }, "string"), [
    "p.type only a number's type in the device follows from the property",
  ]);
  assert.deepEqual(told({ ...holding, ...at, bits: 4 }, "uint8"), ["visitor.bit bit says from where"]);
  assert.deepEqual(told({ ...holding, ...at, raw: "int32", bit: 1 }, "bool"), [
    "visitor.bit a bit lies in one register",
  ]);
});
