import assert from "node:assert/strict";
import { test } from "node:test";
import { hostFunctions, offsetAtOf } from "./host-functions.ts";
import { systemRandom } from "./random.ts";

const host = hostFunctions(systemRandom);
const text = new TextEncoder().encode("penstock ".repeat(20));

test("compress() and decompress() are each other's inverse, and nothing unpacks to more than 1 MiB", () => {
  for (const method of ["gzip", "zlib", "flate", "zstd"] as const) {
    const packed = host.compress(method, text);
    assert.ok(packed.length < text.length, method);
    assert.deepEqual(new Uint8Array(host.decompress(method, packed)), text);
    assert.throws(() => host.decompress(method, host.compress(method, new Uint8Array(2 ** 20 + 1))), method);
  }
});

test("digest() is the one that everybody computes, and uuid() is of version 4", () => {
  // RFC 1321, A.5
  assert.equal(Buffer.from(host.digest("md5", new Uint8Array())).toString("hex"), "d41d8cd98f00b204e9800998ecf8427e");
  assert.match(host.uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("offsetAtOf() follows summer time to the minute", () => {
  const offsetAt = offsetAtOf("Europe/Berlin");
  const spring = Date.UTC(2024, 2, 31, 1) * 1000;
  assert.deepEqual([offsetAt(spring - 1), offsetAt(spring)], [3_600_000_000, 7_200_000_000]);
  assert.equal(offsetAtOf("Asia/Kathmandu")(spring), 20_700_000_000);
});
