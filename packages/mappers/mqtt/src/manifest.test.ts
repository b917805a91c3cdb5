// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates have placeholders of that shape
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { checkSettings, manifestText } from "@penstock/mapper-sdk";
import { checkAgainstManifest, parseManifest, type ValueType } from "@penstock/model";
import { mqttDevices } from "./index.ts";

const written = await readFile(join(import.meta.dirname, "../mapper.json"), "utf8");
const manifest = parseManifest(written);
const fields = (given: Parameters<typeof checkSettings>[1]) => checkSettings(manifest, given).map(({ field }) => field);
const told = (visitor: Readonly<Record<string, unknown>>, type: ValueType, access: "read" | "write" | "readWrite") =>
  checkAgainstManifest(manifest, { visitor }, {}, { property: { access, type, at: "p" } }).map(({ field }) => field);

test("mapper.json is what the mapper says of itself; npm run generate writes it", () => {
  assert.equal(written, manifestText(mqttDevices));
});

test("mapper.json alone tells good settings from bad ones, and a password is in no error", () => {
  for (const url of ["mqtt://10.0.4.30", "mqtts://broker.plant:8883", "wss://h/mqtt?x=1", "mqtt://[fe80::1]:1883"]) {
    assert.deepEqual(fields({ connection: { url } }), [], url);
  }
  for (const url of ["http://h", "mqtt://user:secret@h", "mqtt://", "mqtt://h:x"]) {
    assert.deepEqual(fields({ connection: { url } }), ["connection.url"], url);
  }
  const url = "mqtt://h";
  assert.deepEqual(fields({ connection: { url, password: "s3cret" } }), ["connection.password"]);
  assert.deepEqual(fields({ connection: { url, cleanStart: false } }), ["connection.clientId"]);
  assert.deepEqual(fields({ connection: { url, privateKey: "../../etc/key", certificate: "c.pem" } }), []);
  assert.deepEqual(fields({ connection: { url, ca: "../ca.pem" } }), ["connection.ca"]);
  const wrong = checkSettings(manifest, { connection: { url, user: "u", password: 12345 } });
  assert.deepEqual(
    wrong.map(({ field, value }) => [field, value]),
    [["connection.password", "(hidden)"]],
  );
});

test("mapper.json alone refuses topics that are none, and visitors that say too little or too much", () => {
  for (const topic of ["a", "a/b", "+", "#", "a/+/c", "a/#", "$SYS/x", "x/${device}/y${name}", "/", "a//b"]) {
    assert.deepEqual(told({ topic }, "bool", "read"), [], topic);
  }
  for (const topic of ["a#", "#/a", "a/b+", "x/${who}", "a/#/b"]) {
    assert.deepEqual(told({ topic }, "bool", "read"), ["visitor.topic"], topic);
  }
  assert.deepEqual(told({ topic: "t", setTopic: "t/+" }, "bool", "readWrite"), ["visitor.setTopic"]);
  assert.deepEqual(told({ topic: "t" }, "bool", "readWrite"), ["p.access"]);
  assert.deepEqual(told({ setTopic: "t" }, "bool", "read"), ["p.access"]);
  assert.deepEqual(told({}, "bool", "write"), ["visitor.setTopic", "p.access"]);
  assert.deepEqual(told({ topic: "t", format: "bytes" }, "bool", "read"), ["p.type"]);
  assert.deepEqual(told({ topic: "t", path: "$.a[?(@.b)]" }, "bool", "read"), ["visitor.path"]);
  assert.deepEqual(told({ topic: "t", format: "text", path: "$.a" }, "bool", "read"), ["visitor.path"]);
});
