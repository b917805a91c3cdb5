import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { manifestText } from "@penstock/mapper-sdk";
import { type Access, checkAgainstManifest, parseManifest, type ValueType } from "@penstock/model";
import { parseAllDocuments } from "yaml";
import { ble } from "./index.ts";

const written = await readFile(join(import.meta.dirname, "../mapper.json"), "utf8");
const manifest = parseManifest(written);

test("mapper.json is what the mapper says of itself; npm run generate writes it", () => {
  assert.equal(written, manifestText(ble));
});

function told(
  given: { readonly address?: object; readonly visitor?: object },
  type: ValueType = "float64",
  access: Access = "read",
): string[] {
  const fields = checkAgainstManifest(manifest, given, {}, { property: { access, type, at: "p" } });
  return fields.map(({ field, rule }) => `${field} ${rule.slice(rule.lastIndexOf(": ") + 2)}`);
}

test("mapper.json alone takes what is good", () => {
  for (const [visitor, type, access] of [
    [{ characteristic: "2a19" }, "uint8", "readWrite"],
    [{ characteristic: "0x2A19", service: "180f", mode: "notify" }, "uint8", "read"],
    [{ characteristic: "f000aa0104514000b000000000000000", start: 1, end: 0, shiftRight: 2 }, "float64", "read"],
    [{ characteristic: "f000aa02-0451-4000-b000-000000000000", words: ["ON=01", "OFF=00"] }, "string", "readWrite"],
    [{ characteristic: "2a19", operations: ["multiply 0.03125", "subtract -40"] }, "float64", "read"],
    [{ mode: "advertisement", source: "manufacturer", company: 76, start: 2 }, "int16", "read"],
    [{ mode: "advertisement", source: "rssi" }, "int8", "read"],
  ] as const) {
    assert.deepEqual(told({ visitor }, type, access), [], JSON.stringify(visitor));
  }
  for (const address of [{ mac: "AA:BB:CC:DD:EE:FF" }, { by: "name", name: "x" }, { by: "service", service: "181a" }])
    assert.deepEqual(told({ address }), []);
});

test("mapper.json alone says which settings are bad, and why", () => {
  const characteristic = "2a19";
  assert.deepEqual(told({ address: {} }), ["address.mac the device is known by its address"]);
  assert.deepEqual(told({ address: { by: "name" } }), ["address.name the device is known by its name"]);
  assert.deepEqual(told({ visitor: {} }), ["visitor.characteristic the value lies in a characteristic"]);
  assert.deepEqual(told({ visitor: { mode: "advertisement", source: "rssi" } }, "int8", "readWrite"), [
    "p.access an advertisement goes to everybody and takes nothing",
  ]);
  assert.deepEqual(told({ visitor: { characteristic, shiftLeft: 1, shiftRight: 1 } }), [
    "visitor.shiftRight bits are shifted one way",
  ]);
  assert.deepEqual(told({ visitor: { characteristic, raw: "text", operations: ["add 1"] } }, "string"), [
    "visitor.operations arithmetic and numbers are not for text and bytes",
  ]);
  assert.deepEqual(told({ visitor: { characteristic, words: ["ON=01"] } }, "bool"), [
    "p.type words stand for bytes as they are",
  ]);
  assert.equal(told({ visitor: { characteristic: "2a1" } }).length, 1);
  assert.equal(told({ visitor: { characteristic, operations: ["power 2"] } }).length, 1);
});

test("what examples/ble states is good", async () => {
  const folder = join(import.meta.dirname, "../../../../examples/ble");
  let checked = 0;
  for (const file of await readdir(folder)) {
    for (const document of parseAllDocuments(await readFile(join(folder, file), "utf8"))) {
      type Property = { readonly visitor: object; readonly type: ValueType; readonly access?: Access };
      const { spec } = document.toJS() as {
        spec: { settings?: object; address?: object; properties?: Readonly<Record<string, Property>> };
      };
      if (spec.settings !== undefined)
        assert.deepEqual(checkAgainstManifest(manifest, { connection: spec.settings }), []);
      for (const { visitor, type, access } of Object.values(spec.properties ?? {})) {
        assert.deepEqual(told({ address: spec.address!, visitor }, type, access), [], JSON.stringify(visitor));
        checked++;
      }
    }
  }
  assert.ok(checked >= 8);
});
