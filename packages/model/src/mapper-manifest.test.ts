import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "./errors.ts";
import { limits } from "./limits.ts";
import {
  checkAgainstManifest,
  extentOf,
  type MapperManifest,
  manifestVersion,
  parseManifest,
} from "./mapper-manifest.ts";

const manifest: MapperManifest = {
  manifest: manifestVersion,
  name: "lamp",
  summary: "Reads lamps",
  version: "1.0.0",
  sdk: { min: 1, max: 1 },
  main: "./src/index.ts",
  connection: {
    type: "object",
    properties: { host: { type: "string" }, port: { type: "integer", minimum: 1, maximum: 65535, default: 502 } },
    required: ["host"],
    additionalProperties: false,
  },
  address: { type: "object", properties: { unit: { type: "integer", default: 1 } }, additionalProperties: false },
  visitor: {
    type: "object",
    properties: { at: { type: "integer" }, raw: { enum: ["short", "long"] } },
    required: ["at"],
    additionalProperties: false,
  },
  method: null,
  custom: null,
  rules: [],
  extent: {
    space: ["address.unit"],
    start: "visitor.at",
    length: { field: "visitor.raw", sizes: { long: 2 }, otherwise: 1 },
  },
  permissions: ["network"],
};

function codeOfThrow(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    return error.code;
  }
  return "nothing thrown";
}

test("parseManifest() reads what a mapper wrote", () => {
  assert.deepEqual(parseManifest(JSON.stringify(manifest)), manifest);
});

test("parseManifest() refuses a path outside the mapper's folder, other shapes, other text and 1 MiB and a byte", () => {
  for (const main of [
    "../evil.ts",
    "/etc/evil.js",
    "./a/../../evil.js",
    "./x.sh",
    "http://example.com/x.js",
    "./.hidden/x.js",
  ]) {
    assert.equal(
      codeOfThrow(() => parseManifest(JSON.stringify({ ...manifest, main }))),
      "input/invalid",
      main,
    );
  }
  assert.equal(
    codeOfThrow(() => parseManifest(JSON.stringify({ ...manifest, sdk: "1" }))),
    "input/invalid",
  );
  assert.equal(
    codeOfThrow(() => parseManifest("[]")),
    "input/invalid",
  );
  assert.equal(
    codeOfThrow(() => parseManifest("{")),
    "input/invalid",
  );
  const padding = " ".repeat(limits.manifestBytes + 1 - JSON.stringify(manifest).length);
  assert.equal(
    codeOfThrow(() => parseManifest(JSON.stringify(manifest) + padding)),
    "input/too-large",
  );
});

test("checkAgainstManifest() names field, value and rule of everything wrong, as the user wrote it", () => {
  const fields = checkAgainstManifest(
    manifest,
    { connection: { port: 70_000, prot: 1 }, visitor: { at: "x", raw: "medium" } },
    { connection: "spec.settings", visitor: "spec.properties.on.visitor" },
  );
  assert.deepEqual(
    fields.toSorted((a, b) => (a.field < b.field ? -1 : 1)),
    [
      { field: "spec.properties.on.visitor.at", value: '"x"', rule: "must be integer" },
      { field: "spec.properties.on.visitor.raw", value: '"medium"', rule: "must be one of short, long" },
      { field: "spec.settings.host", value: "(missing)", rule: "is required" },
      { field: "spec.settings.port", value: "70000", rule: "must be <= 65535" },
      { field: "spec.settings.prot", value: "1", rule: "unknown field, known are host, port" },
    ],
  );
});

test("checkAgainstManifest() accepts good settings and leaves parts alone that were not given", () => {
  assert.deepEqual(checkAgainstManifest(manifest, { connection: { host: "a" }, address: {}, visitor: { at: 1 } }), []);
  assert.deepEqual(checkAgainstManifest(manifest, { address: undefined }), []);
  assert.deepEqual(
    checkAgainstManifest(manifest, { connection: undefined }).map((f) => f.field),
    ["connection.host"],
  );
});

test("extentOf() finds space, start and length, with defaults", () => {
  assert.deepEqual(extentOf(manifest, { address: {}, visitor: { at: 7 } }), { space: "1", start: 7, length: 1 });
  assert.deepEqual(extentOf(manifest, { address: { unit: 3 }, visitor: { at: 7, raw: "long" } }), {
    space: "3",
    start: 7,
    length: 2,
  });
  assert.equal(extentOf(manifest, { visitor: {} }), null);
});

test("checkAgainstManifest() holds the rules: defaults count, and each is looked at with the deepest part it names", () => {
  const rules: MapperManifest["rules"] = [
    { when: { field: "connection.port", in: [502] }, refuse: ["visitor.raw"], because: "port 502 has short ones only" },
    { when: { field: "visitor.raw", in: [null] }, require: ["address.zone"], because: "nobody knows how long it is" },
    { when: { field: "visitor.raw", in: ["long"] }, access: ["read"], types: ["int32"], because: "it is a counter" },
  ];
  const ruled = { ...manifest, rules };
  const at = { connection: "spec.settings", address: "spec.address", visitor: "spec.properties.on.visitor" };
  // The rule names a visitor: a connection alone says nothing of it.
  assert.deepEqual(checkAgainstManifest(ruled, { connection: { host: "h" } }, at), []);
  const known = { connection: { host: "h" }, address: {} };
  assert.deepEqual(checkAgainstManifest(ruled, { visitor: { at: 1, raw: "short" } }, at, { known }), [
    {
      field: "spec.properties.on.visitor.raw",
      value: '"short"',
      rule: "cannot stand with spec.settings.port 502: port 502 has short ones only",
    },
  ]);
  assert.deepEqual(checkAgainstManifest(ruled, { visitor: { at: 1 } }, at, { known }), [
    {
      field: "spec.address.zone",
      value: "(missing)",
      rule: "is required without spec.properties.on.visitor.raw: nobody knows how long it is",
    },
  ]);
  const property = { access: "readWrite", type: "bool", at: "spec.properties.on" } as const;
  const other = { known: { connection: { host: "h", port: 1 }, address: {} }, property };
  assert.deepEqual(
    checkAgainstManifest(ruled, { visitor: { at: 1, raw: "long" } }, at, other).map(({ field, value }) => [
      field,
      value,
    ]),
    [
      ["spec.properties.on.access", '"readWrite"'],
      ["spec.properties.on.type", '"bool"'],
    ],
  );
  // Without the property nothing can be said of it; settings of a wrong type are told as such first.
  const { property: _, ...alone } = other;
  assert.deepEqual(checkAgainstManifest(ruled, { visitor: { at: 1, raw: "long" } }, at, alone), []);
  assert.equal(checkAgainstManifest(ruled, { visitor: { at: "x", raw: "short" } }, at, { known }).length, 1);
});
