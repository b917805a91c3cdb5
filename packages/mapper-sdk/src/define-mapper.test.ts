import assert from "node:assert/strict";
import { test } from "node:test";
import { parseManifest } from "@penstock/model";
import { checkSettings, defineMapper, isMapper, manifestText } from "./define-mapper.ts";
import { bool, float, int, list, oneOf, rawType, text, url, withDefaults } from "./field.ts";

const lamp = defineMapper({
  name: "lamp",
  summary: "Reads lamps",
  version: "1.2.3",
  connection: { host: text({ example: "10.0.4.12" }), port: int({ min: 1, max: 65535, default: 502 }) },
  address: { unit: int({ min: 0, max: 255, default: 1, summary: "Which lamp" }) },
  visitor: {
    table: oneOf(["red", "green"], { default: "red" }),
    raw: rawType({ optional: true }),
    scale: float({ default: 1 }),
    inverted: bool({ default: false }),
    tags: list(text(), { optional: true }),
  },
  open: async () => {
    throw new Error("Not opened in this test");
  },
});

test("manifestText() can be read back and says all that the specification says", () => {
  const manifest = parseManifest(manifestText(lamp));
  assert.deepEqual(manifest, lamp.manifest);
  assert.deepEqual(manifest.connection, {
    type: "object",
    properties: {
      host: { type: "string", minLength: 1, maxLength: 1024, examples: ["10.0.4.12"] },
      port: { type: "integer", minimum: 1, maximum: 65535, default: 502 },
    },
    required: ["host"],
    additionalProperties: false,
  });
  assert.deepEqual((manifest.address.properties as { unit: unknown }).unit, {
    type: "integer",
    minimum: 0,
    maximum: 255,
    description: "Which lamp",
    default: 1,
  });
});

test("checkSettings() gives the same answer from the mapper and from mapper.json alone", () => {
  const wrong = { connection: { host: "", port: 1.5 }, visitor: { table: "blue", raw: "int8", tags: [""] } };
  const fields = checkSettings(lamp, wrong);
  assert.deepEqual(
    fields.map((f) => f.field),
    ["connection.host", "connection.port", "visitor.table", "visitor.raw", "visitor.tags.0"],
  );
  assert.deepEqual(checkSettings(parseManifest(manifestText(lamp)), wrong), fields);
  assert.deepEqual(checkSettings(lamp, { connection: { host: "a" }, address: {}, visitor: {} }), []);
});

test("withDefaults() fills in what is missing and keeps what was given", () => {
  assert.deepEqual(withDefaults(lamp.visitor, { table: "green" }), { table: "green", scale: 1, inverted: false });
  // The types follow from the fields: these lines would not compile otherwise.
  const { port, host }: { port: number; host: string } = withDefaults(lamp.connection, { host: "a" });
  const table: "red" | "green" = withDefaults(lamp.visitor, {}).table;
  assert.deepEqual([port, host, table], [502, "a", "red"]);
});

test("isMapper() knows what defineMapper() made", () => {
  assert.equal(isMapper(lamp), true);
  assert.equal(isMapper({ ...lamp, manifest: undefined, name: "x" }), true);
  assert.equal(isMapper({ name: "lamp" }), false);
  assert.equal(isMapper(null), false);
});

test("url() takes absolute URLs of its schemes only, and says so from mapper.json alone", () => {
  const fields = { endpoint: url({ schemes: ["opc.tcp"] }), status: url({ optional: true }) };
  const { summary, version } = lamp;
  const open = async () => {
    throw new Error("Not opened in this test");
  };
  const web = defineMapper({ name: "web", summary, version, connection: fields, address: {}, visitor: {}, open });
  const rulesOf = (connection: object) =>
    checkSettings(parseManifest(manifestText(web)), { connection }).map(({ field, rule }) => `${field}: ${rule}`);
  assert.deepEqual(rulesOf({ endpoint: "opc.tcp://10.0.4.12:4840/a", status: "http://a/b?c=d" }), []);
  assert.deepEqual(rulesOf({ endpoint: "opc.tcp://a", status: "a b" }), [
    "connection.status: must be a URL such as http://host:port/path",
  ]);
  assert.equal(rulesOf({ endpoint: "opcxtcp://a" }).length, 1);
});
