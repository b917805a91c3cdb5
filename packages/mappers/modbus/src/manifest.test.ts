import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { checkSettings, manifestText } from "@penstock/mapper-sdk";
import { extentOf, parseManifest } from "@penstock/model";
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
      "connection.host: missing: is required",
      "address.unitId: 256: must be <= 255",
      'visitor.table: "holdings": must be one of coil, discrete, input, holding',
      "visitor.offset: 70000: must be <= 65535",
      'visitor.raw: "int8": must be one of int16, uint16, int32, uint32, int64, uint64, float32, float64',
    ],
  );
});
