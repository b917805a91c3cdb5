// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates have placeholders of that shape
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { checkSettings, manifestText } from "@penstock/mapper-sdk";
import { checkAgainstManifest, parseManifest, type ValueType } from "@penstock/model";
import { httpDevices } from "./index.ts";

const written = await readFile(join(import.meta.dirname, "../mapper.json"), "utf8");
const manifest = parseManifest(written);
const fields = (given: Parameters<typeof checkSettings>[1]) => checkSettings(manifest, given).map(({ field }) => field);
const told = (visitor: Readonly<Record<string, unknown>>, type: ValueType, access: "read" | "write" | "readWrite") =>
  checkAgainstManifest(manifest, { visitor }, {}, { property: { access, type, at: "p" } }).map(({ field }) => field);

test("mapper.json is what the mapper says of itself; npm run generate writes it", () => {
  assert.equal(written, manifestText(httpDevices));
});

test("mapper.json alone tells good settings from bad ones, and a password is in no error", () => {
  for (const url of ["http://10.0.4.40", "https://oven.plant:8443/api/v1", "http://[fe80::1]:80/x"]) {
    assert.deepEqual(fields({ connection: { url } }), [], url);
  }
  for (const url of ["ftp://h", "http://user:secret@h", "http://h/?a=1", "http://"]) {
    assert.deepEqual(fields({ connection: { url } }), ["connection.url"], url);
  }
  const url = "http://h";
  assert.deepEqual(fields({ connection: { url, headers: ["X-A: 1", "accept: */*"] } }), []);
  assert.deepEqual(fields({ connection: { url, headers: ["Host: other"] } }), ["connection.headers.0"]);
  assert.deepEqual(fields({ connection: { url, headers: ["X-A: 1\r\nX-B: 2"] } }), ["connection.headers.0"]);
  const wrong = checkSettings(manifest, { connection: { url, bearerToken: 12345 } });
  assert.deepEqual(
    wrong.map(({ field, value }) => [field, value]),
    [["connection.bearerToken", "(hidden)"]],
  );
});

test("mapper.json alone refuses paths that lead elsewhere, and visitors that say too little or too much", () => {
  for (const resource of ["/", "/a/b?c=${device}&d=${name}", "/a//b"]) {
    assert.deepEqual(told({ resource }, "bool", "read"), [], resource);
  }
  for (const resource of ["a", "//other/x", "http://other", "/a#b", "/a b", "/${who}", "/\\other"]) {
    assert.deepEqual(told({ resource }, "bool", "read"), ["visitor.resource"], resource);
  }
  assert.deepEqual(told({ resource: "/", body: "x" }, "bool", "read"), ["visitor.body"]);
  assert.deepEqual(told({ resource: "/" }, "bool", "readWrite"), ["p.access"]);
  assert.deepEqual(told({ setResource: "/", setMethod: "GET", template: "x" }, "bool", "write"), ["visitor.template"]);
  assert.deepEqual(told({ resource: "/", pattern: "^a" }, "bool", "read"), ["visitor.pattern"]);
});
