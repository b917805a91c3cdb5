import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { codeOf } from "./errors.ts";
import { checkAgainstManifest, type MapperManifest, parseManifest, schemaErrors } from "./mapper-manifest.ts";
import { parseToldManifest } from "./told-manifest.ts";
import type { Json } from "./value.ts";

const object = (properties: Json): Json => ({ type: "object", properties, additionalProperties: false });
function manifestText(visitor: Json, more: object = {}): string {
  return JSON.stringify({
    ...{ manifest: "penstock.dev/mapper/v1", name: "lathe", summary: "Test", version: "1.0.0" },
    ...{ sdk: { min: 1, max: 1 }, main: "./index.js", permissions: [], extent: null },
    ...{ connection: object({}), address: object({}), visitor, ...more },
  });
}
const visitorOf = (visitor: Json) => parseToldManifest(manifestText(visitor)).visitor;

test("parseToldManifest() leaves what the kit makes as it is", () => {
  const visitor = object({
    axis: { type: "string", enum: ["x", "y"], description: "Which", default: "x" },
    depth: { type: "integer", minimum: 0, maximum: 9, unit: "mm", examples: [3] },
    tools: { type: "array", items: { type: "number" }, maxItems: 8 },
    host: { type: "string", minLength: 1, maxLength: 20, pattern: "^[a-z]+$" },
    link: { type: "string", format: "uri", maxLength: 2048, pattern: "^(opc\\.tcp|http)://" },
  });
  const text = manifestText(visitor, { address: { ...(object({}) as object), required: [] } });
  assert.deepEqual(parseToldManifest(text), { ...parseManifest(text), cost: null });
});

test("parseToldManifest() keeps of schemas what is checked quickly, and the rest makes the check milder only", () => {
  const deep = Array.from({ length: 20 }).reduce<Json>((inner) => object({ a: inner }), object({}));
  const cases: [Json, unknown][] = [
    [object({ a: { type: "string", pattern: "^(a+)+$" } }), { a: "x" }],
    [{ type: "object", properties: { a: { $ref: "#" } }, additionalProperties: false }, { a: 1 }],
    [{ ...(object({}) as object), patternProperties: { "^x": {} } }, { x: 1 }],
    [{ ...(object({}) as object), allOf: [{ required: ["z"] }] }, {}],
    [object({ 'a"]||process.exit()||["': { type: "string" } }), { b: 1 }],
    [object({ a: { type: "string", format: "made-up" } }), { a: "x" }],
    [object({ a: { enum: [{ deep: 1 }] } }), { a: 1 }],
    [object({ a: { minimum: "x" } }), { a: 1 }],
    [{ type: "object", properties: { a: {} }, required: ["zz"] }, { a: 1 }],
    [deep, { a: { a: { a: { a: { a: { a: { a: { a: { b: 1 } } } } } } } } }],
  ];
  for (const [schema, taken] of cases) {
    const told = visitorOf(schema);
    assert.deepEqual(schemaErrors(told, taken, "v"), [], JSON.stringify(told));
  }
});

test("parseToldManifest() refuses what is no manifest at all", () => {
  const broken = ["", "{}", "[1]", manifestText([]), manifestText(object({}), { main: "../../etc/passwd.js" })];
  for (const text of broken) assert.throws(() => parseToldManifest(text), { code: "input/invalid" });
  assert.throws(() => parseToldManifest(" ".repeat(1024 * 1024 + 1)), { code: "input/too-large" });
});

test("whatever a manifest says, it is refused as input or settings can be held against it", () => {
  const word = fc.constantFrom(
    "type",
    "enum",
    "properties",
    "items",
    "pattern",
    "minimum",
    "required",
    "$ref",
    "x",
    "a",
  );
  const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom("string", "^(a+)+$", ["a"], -1, null, true),
      fc.dictionary(word, fc.oneof({ maxDepth: 4 }, fc.jsonValue(), tie("schema"))),
    ),
  }));
  fc.assert(
    fc.property(schema, fc.dictionary(word, fc.jsonValue()), (given, settings) => {
      let manifest: MapperManifest;
      try {
        manifest = parseToldManifest(manifestText({ type: "object", properties: {}, ...(given as object) }));
      } catch (error) {
        assert.equal(codeOf(error), "input/invalid", String(error));
        return;
      }
      for (const { rule } of checkAgainstManifest(manifest, { visitor: settings })) assert.ok(rule.length > 0);
    }),
  );
});

// Settings in `custom` blocks are passed through digit by digit, so their schema must take what they may hold.
test("schemaErrors() takes 64-bit integers where a schema says integer, and holds them against bounds", () => {
  const schema = object({ mask: { type: "integer", minimum: 0 }, list: { type: "array", items: { type: "integer" } } });
  const errors = (value: object) =>
    schemaErrors(schema as object, value, "custom").map(({ field, rule }) => [field, rule]);
  assert.deepEqual(errors({ mask: 18446744073709551615n, list: [-9223372036854775808n, 5] }), []);
  assert.deepEqual(errors({ mask: -9223372036854775808n }), [["custom.mask", "must be >= 0"]]);
  assert.deepEqual(errors({ mask: "1" }), [["custom.mask", "must be integer"]]);
});
